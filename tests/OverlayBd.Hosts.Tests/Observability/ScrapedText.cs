// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;

namespace OverlayBd.Hosts.Tests.Observability;

/// <summary>Reads Prometheus' text format 0.0.4 as strictly as Prometheus does, and more: what is odd fails the test.</summary>
internal sealed partial class ScrapedText
{
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    public ScrapedText(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        HashSet<string> families = [];
        string family = "";
        foreach (string line in text[..^1].Split('\n'))
        {
            if (Help().Match(line) is { Success: true } help)
            {
                family = help.Groups[1].Value;
                Assert.True(families.Add(family), $"{family} comes twice");
            }
            else if (TypeLine().Match(line) is { Success: true } type)
            {
                Assert.Equal(family, type.Groups[1].Value);
                Types[family] = type.Groups[2].Value;
            }
            else
            {
                Match sample = Sample().Match(line);
                Assert.True(sample.Success, "no line of the format: " + line);
                string name = sample.Groups[1].Value;
                string[] allowed = Types[family] == "histogram" ? [family + "_bucket", family + "_sum", family + "_count"] : [family];
                Assert.Contains(name, allowed);
                Assert.True(
                    _samples.TryAdd(name + sample.Groups[2].Value, double.Parse(
                        sample.Groups[3].Value.Replace("+Inf", "Infinity", StringComparison.Ordinal), CultureInfo.InvariantCulture)),
                    "twice: " + line);
            }
        }
    }

    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, double> Samples => _samples;

    /// <summary>The value of a series as it is written, labels and all.</summary>
    public double this[string series] => _samples.TryGetValue(series, out double value)
        ? value
        : throw new KeyNotFoundException($"{series} is not among\n{string.Join('\n', _samples.Keys)}");

    [GeneratedRegex("^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*\})?) (-?[0-9][0-9.eE+-]*|\+Inf|NaN)$""")]
    private static partial Regex Sample();
}
