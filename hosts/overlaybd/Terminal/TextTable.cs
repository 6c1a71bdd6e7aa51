// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Cli.Terminal;

/// <summary>Rows in aligned columns; the last column is as long as it likes.</summary>
internal sealed class TextTable(params string[] heads)
{
    private readonly List<string[]> _rows = [heads];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Write(TextWriter output)
    {
        int[] widths = [.. heads.Select((_, column) => _rows.Max(row => row[column].Length))];
        foreach (string[] row in _rows)
        {
            string line = string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column])));
            output.WriteLine(line.TrimEnd());
        }
    }
}
