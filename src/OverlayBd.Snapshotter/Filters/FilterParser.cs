// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Snapshotter.Filters;

/// <summary>Reads one filter: <c>selector ("," selector)*</c>, <c>selector := field ("." field)* [("==" | "!=" | "~=") value]</c>.</summary>
internal sealed class FilterParser(string text)
{
    private const int LongestFilter = 64 * 1024;
    private int _position;

    private char Current => _position < text.Length ? text[_position] : '\0';

    public Selector[] Parse()
    {
        if (text.Length > LongestFilter)
        {
            throw SnapshotException.Invalid($"filters: {text.Length} characters; the longest filter has {LongestFilter}");
        }

        SkipSpace();
        List<Selector> selectors = [];
        while (_position < text.Length)
        {
            if (selectors.Count > 0)
            {
                Expect(',');
            }

            selectors.Add(ParseSelector());
            SkipSpace();
        }

        return [.. selectors];
    }

    private Selector ParseSelector()
    {
        List<string> path = [];
        do
        {
            _position += path.Count > 0 ? 1 : 0;
            SkipSpace();
            path.Add(ParseField());
            SkipSpace();
        }
        while (Current == '.');

        if (Current is '\0' or ',')
        {
            return new([.. path], SelectorOperator.Present, "");
        }

        SelectorOperator @operator = ParseOperator();
        SkipSpace();
        return new([.. path], @operator, ParseValue(@operator));
    }

    private string ParseField()
    {
        if (Current == '"')
        {
            return ParseQuoted();
        }

        int start = _position;
        while (char.IsAsciiLetterOrDigit(Current) || Current == '_')
        {
            _position++;
        }

        return _position > start ? text[start.._position] : throw Fault("expected a field");
    }

    private SelectorOperator ParseOperator()
    {
        SelectorOperator? found = text.AsSpan(_position) switch
        {
            ['=', '=', ..] => SelectorOperator.Equal,
            ['!', '=', ..] => SelectorOperator.NotEqual,
            ['~', '=', ..] => SelectorOperator.Matches,
            _ => null,
        };
        _position += 2;
        return found ?? throw Fault("expected ==, != or ~=", -2);
    }

    private string ParseValue(SelectorOperator @operator)
    {
        if (Current == '"' || (Current is '/' or '|' && @operator == SelectorOperator.Matches))
        {
            return ParseQuoted();
        }

        int start = _position;
        while (_position < text.Length && Current != ',' && !char.IsWhiteSpace(Current) && !char.IsControl(Current))
        {
            _position++;
        }

        bool startsWrongly = start == _position || text[start] is '.' or '/' or '|' or '=' or '!' or '~';
        return startsWrongly ? throw Fault("expected a value", start - _position) : text[start.._position];
    }

    /// <summary>Reads a Go string literal; regular expressions may be quoted by / and | too.</summary>
    private string ParseQuoted()
    {
        char quote = Current;
        StringBuilder value = new();
        for (_position++; Current != quote; _position++)
        {
            if (_position >= text.Length || Current == '\n')
            {
                throw Fault("the quoted text does not end");
            }

            if (Current == '\\')
            {
                AppendEscape(value, quote);
            }
            else
            {
                value.Append(Current);
            }
        }

        _position++;
        return value.ToString();
    }

    private void AppendEscape(StringBuilder value, char quote)
    {
        _position++;
        char escape = Current;
        int plain = "abfnrtv\\".IndexOf(escape, StringComparison.Ordinal);
        if (escape == quote)
        {
            value.Append(quote);
        }
        else if (plain >= 0 && escape != '\0')
        {
            value.Append("\a\b\f\n\r\t\v\\"[plain]);
        }
        else if (escape is 'x' or 'u' or 'U')
        {
            _position++;
            AppendCode(value, escape switch { 'x' => 2, 'u' => 4, _ => 8 }, 16);
        }
        else if (escape is >= '0' and <= '7')
        {
            AppendCode(value, 3, 8);
        }
        else
        {
            throw Fault("unknown escape");
        }
    }

    private void AppendCode(StringBuilder value, int length, int radix)
    {
        long code = 0;
        for (int i = 0; i < length; i++)
        {
            int digit = char.IsAsciiHexDigit(Current) ? Convert.ToInt32(Current.ToString(), 16) : radix;
            code = digit < radix ? (code * radix) + digit : throw Fault("malformed escape");
            _position++;
        }

        _position--;
        value.Append(Rune.IsValid(code > int.MaxValue ? -1 : (int)code) ? new Rune((int)code).ToString() : throw Fault("malformed escape"));
    }

    private void Expect(char expected)
    {
        if (Current != expected)
        {
            throw Fault($"expected '{expected}'");
        }

        _position++;
    }

    private void SkipSpace()
    {
        while (_position < text.Length && char.IsWhiteSpace(Current))
        {
            _position++;
        }
    }

    private SnapshotException Fault(string what, int shift = 0) => SnapshotException.Invalid(
        $"filters: {what} at character {_position + shift + 1} of '{SnapshotException.Printable(text)}'");
}
