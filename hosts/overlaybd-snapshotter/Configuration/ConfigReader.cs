// SPDX-License-Identifier: Apache-2.0

using System.Text.Json;

namespace OverlayBd.SnapshotterHost.Configuration;

/// <summary>Reads the fields of one JSON object; names in any case, as the original's do. What is never asked for is unknown.</summary>
internal sealed class ConfigReader
{
    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _asked = new(StringComparer.OrdinalIgnoreCase);
    private readonly string _prefix;

    public ConfigReader(JsonElement element, string prefix = "")
    {
        _prefix = prefix;
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new ConfigException($"{(prefix.Length > 0 ? prefix.TrimEnd('.') : "the file")} is {Name(element)}, not an object");
        }

        foreach (JsonProperty property in element.EnumerateObject())
        {
            _fields[property.Name] = property.Value;
        }
    }

    public IEnumerable<string> Unknown => _fields.Keys.Where(name => !_asked.Contains(name)).Select(name => _prefix + name);

    public string Text(string name, string otherwise) =>
        Find(name) is not { } value ? otherwise
        : value.ValueKind == JsonValueKind.String ? value.GetString()!
        : throw Wrong(name, value, "a string");

    public bool Flag(string name) => Find(name) is { } value && value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, value, "true or false"),
    };

    public int Number(string name, int otherwise, int least, int most)
    {
        if (Find(name) is not { } value)
        {
            return otherwise;
        }

        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= least && number <= most
            ? number
            : throw Wrong(name, value, $"a number from {least} to {most}");
    }

    public T Choice<T>(string name, T otherwise, params ReadOnlySpan<(string Text, T Value)> choices)
    {
        if (Find(name) is not { } value)
        {
            return otherwise;
        }

        List<string> known = [];
        foreach ((string text, T choice) in choices)
        {
            if (value.ValueKind == JsonValueKind.String && string.Equals(value.GetString(), text, StringComparison.OrdinalIgnoreCase))
            {
                return choice;
            }

            known.Add($"\"{text}\"");
        }

        throw Wrong(name, value, "one of " + string.Join(", ", known));
    }

    public IReadOnlyList<JsonElement> List(string name) =>
        Find(name) is not { } value ? []
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()]
        : throw Wrong(name, value, "a list");

    public ConfigReader? Object(string name) => Find(name) is { } value ? new(value, $"{_prefix}{name}.") : null;

    public ConfigException Wrong(string name, string problem) => new($"{_prefix}{name} {problem}");

    private static string Name(JsonElement value)
    {
        string raw = value.GetRawText();
        return raw.Length > 80 ? raw[..80] + "…" : raw;
    }

    private ConfigException Wrong(string name, JsonElement value, string expected) => Wrong(name, $"is {Name(value)}, not {expected}");

    private JsonElement? Find(string name)
    {
        _asked.Add(name);
        return _fields.TryGetValue(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
