// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Cli.Terminal;
using OverlayBd.Format;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Cli.Inspection;

/// <summary>The tables in a layer file, line by line.</summary>
internal static class LayerDump
{
    public static async Task WriteIndexAsync(string path, TextWriter output, CancellationToken cancellationToken)
    {
        await using LayerBlob blob = await LayerBlob.OpenAsync(FileBlockSource.Open(path), path, cancellationToken);
        TextTable table = new("OFFSET", "LENGTH", "DATA AT");
        foreach (LsmtExtent extent in blob.Layer.ReadMappings())
        {
            table.Add(Text(extent.Offset), Text(extent.Length), extent.IsZero ? "zeros" : Text(extent.DataOffset));
        }

        table.Write(output);
    }

    public static async Task WriteJumpTableAsync(string path, TextWriter output, CancellationToken cancellationToken)
    {
        await using LayerBlob blob = await LayerBlob.OpenAsync(FileBlockSource.Open(path), path, cancellationToken);
        TextTable table = new("BLOCK", "OFFSET", "LENGTH", "STORED AT", "STORED LENGTH");
        foreach (ZFileBlock block in blob.ZFile?.EnumerateBlocks() ?? [])
        {
            table.Add(Text(block.Index), Text(block.Offset), Text(block.Length), Text(block.StoredOffset), Text(block.StoredLength));
        }

        table.Write(output);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
