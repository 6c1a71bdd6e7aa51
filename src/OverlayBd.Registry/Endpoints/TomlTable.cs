// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Endpoints;

/// <summary>A table of a TOML document, in the order of its keys.</summary>
internal sealed class TomlTable
{
    private readonly Dictionary<string, object> _values = new(StringComparer.Ordinal);
    private readonly List<string> _keys = [];

    public IReadOnlyList<string> Keys => _keys;

    public object? Get(string key) => _values.GetValueOrDefault(key);

    public bool TryAdd(string key, object value)
    {
        if (!_values.TryAdd(key, value))
        {
            return false;
        }

        _keys.Add(key);
        return true;
    }
}
