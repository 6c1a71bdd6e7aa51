// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;

namespace OverlayBd.Registry.Endpoints;

/// <summary>Reads as much TOML as a hosts.toml is made of: tables, dotted and quoted keys, strings, booleans, arrays, inline
/// tables.</summary>
/// <remarks>A value is a string, a bool, a list of values, or a table; other bare values (numbers, dates) stay text. Tables keep their
/// order.</remarks>
internal sealed class TomlReader
{
    private const int MaxDepth = 16;

    private readonly string _text;
    private readonly string _name;
    private int _position;

    private TomlReader(string text, string name)
    {
        _text = text;
        _name = name;
    }

    /// <summary>Reads a document.</summary>
    /// <exception cref="InvalidDataException">It is malformed, or uses what is not supported; the message names the file and the
    /// line.</exception>
    public static TomlTable Read(string text, string name) => new TomlReader(text, name).ReadDocument();

    private TomlTable ReadDocument()
    {
        var root = new TomlTable();
        TomlTable table = root;
        while (true)
        {
            SkipBlank(lines: true);
            if (_position == _text.Length)
            {
                return root;
            }

            if (Peek() == '[')
            {
                _position++;
                if (Peek() == '[')
                {
                    throw Malformed("arrays of tables are not supported");
                }

                table = ReadKey().Aggregate(root, Descend);
                Expect(']');
            }
            else
            {
                ReadPair(table, 0);
            }

            SkipBlank(lines: false);
            if (_position < _text.Length && Peek() is not ('\n' or '\r'))
            {
                throw Malformed($"expected the end of the line, found '{Peek()}'");
            }
        }
    }

    private void ReadPair(TomlTable table, int depth)
    {
        List<string> key = ReadKey();
        Expect('=');
        TomlTable owner = key.SkipLast(1).Aggregate(table, Descend);
        if (!owner.TryAdd(key[^1], ReadValue(depth)))
        {
            throw Malformed($"'{Redaction.Clean(key[^1], 80)}' is given twice");
        }
    }

    private TomlTable Descend(TomlTable table, string key)
    {
        if (table.Get(key) is not object existing)
        {
            var child = new TomlTable();
            table.TryAdd(key, child);
            return child;
        }

        return existing as TomlTable ?? throw Malformed($"'{Redaction.Clean(key, 80)}' is not a table");
    }

    private List<string> ReadKey()
    {
        var parts = new List<string>();
        while (true)
        {
            SkipBlank(lines: false);
            if (Peek() is '"' or '\'')
            {
                parts.Add(ReadString());
            }
            else
            {
                int start = _position;
                while (char.IsAsciiLetterOrDigit(Peek()) || Peek() is '_' or '-')
                {
                    _position++;
                }

                parts.Add(_position > start ? _text[start.._position] : throw Malformed("expected a key"));
            }

            SkipBlank(lines: false);
            if (Peek() != '.')
            {
                return parts;
            }

            _position++;
        }
    }

    private object ReadValue(int depth)
    {
        if (depth > MaxDepth)
        {
            throw Malformed("values are nested too deeply");
        }

        SkipBlank(lines: false);
        switch (Peek())
        {
            case '"' or '\'':
                return ReadString();
            case '[':
                return ReadArray(depth);
            case '{':
                return ReadInlineTable(depth);
            default:
                int start = _position;
                while (char.IsAsciiLetterOrDigit(Peek()) || Peek() is '_' or '-' or '+' or '.' or ':')
                {
                    _position++;
                }

                return _text[start.._position] switch
                {
                    "true" => true,
                    "false" => false,
                    "" => throw Malformed("expected a value"),
                    string other => other,
                };
        }
    }

    private List<object> ReadArray(int depth)
    {
        var items = new List<object>();
        _position++;
        while (true)
        {
            SkipBlank(lines: true);
            if (Peek() == ']')
            {
                _position++;
                return items;
            }

            items.Add(ReadValue(depth + 1));
            SkipBlank(lines: true);
            if (Peek() != ']')
            {
                Expect(',');
            }
        }
    }

    private TomlTable ReadInlineTable(int depth)
    {
        var table = new TomlTable();
        _position++;
        SkipBlank(lines: false);
        while (Peek() != '}')
        {
            ReadPair(table, depth + 1);
            SkipBlank(lines: false);
            if (Peek() != '}')
            {
                Expect(',');
            }
        }

        _position++;
        return table;
    }

    private string ReadString()
    {
        char quote = _text[_position++];
        if (Peek() == quote && _position + 1 < _text.Length && _text[_position + 1] == quote)
        {
            throw Malformed("strings of several lines are not supported");
        }

        var value = new StringBuilder();
        while (true)
        {
            char c = Peek();
            if (_position == _text.Length || c is '\n' or '\r')
            {
                throw Malformed("a string does not end on its line");
            }

            _position++;
            if (c == quote)
            {
                return value.ToString();
            }

            value.Append(c == '\\' && quote == '"' ? ReadEscape() : c);
        }
    }

    private char ReadEscape()
    {
        char c = Peek();
        _position++;
        switch (c)
        {
            case '"' or '\\':
                return c;
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case 'u' when _position + 4 <= _text.Length
                && ushort.TryParse(
                    _text.AsSpan(_position, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code):
                _position += 4;
                return (char)code;
            default:
                throw Malformed("a string holds an unknown escape");
        }
    }

    private char Peek() => _position < _text.Length ? _text[_position] : '\0';

    private void Expect(char expected)
    {
        SkipBlank(lines: false);
        if (Peek() != expected)
        {
            throw Malformed($"expected '{expected}'");
        }

        _position++;
    }

    private void SkipBlank(bool lines)
    {
        while (_position < _text.Length)
        {
            char c = _text[_position];
            if (c == '#')
            {
                int end = _text.IndexOf('\n', _position);
                _position = end < 0 ? _text.Length : end;
            }
            else if (c is ' ' or '\t' || (lines && (c is '\n' or '\r')))
            {
                _position++;
            }
            else
            {
                return;
            }
        }
    }

    private InvalidDataException Malformed(string problem) =>
        new($"{_name}: line {_text.AsSpan(0, Math.Min(_position, _text.Length)).Count('\n') + 1}: {problem}.");
}
