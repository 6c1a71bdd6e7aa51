// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Registry.Authentication;

/// <summary>
/// Reads WWW-Authenticate headers (RFC 9110, 11.6.1): several challenges in one or several lines, parameters in any order, quoted or not,
/// with commas inside quotes and blanks where people put them.
/// </summary>
/// <remarks>What does not follow the grammar is skipped, up to the next comma; a challenge that matters will then miss its
/// parameters.</remarks>
internal ref struct ChallengeParser
{
    private const int MaxLength = 16 * 1024;

    private readonly ReadOnlySpan<char> _text;
    private int _position;

    private ChallengeParser(ReadOnlySpan<char> text)
    {
        _text = text.Length > MaxLength ? text[..MaxLength] : text;
        _position = 0;
    }

    public static IReadOnlyList<Challenge> Parse(IEnumerable<string> headers)
    {
        var challenges = new List<Challenge>();
        foreach (string header in headers)
        {
            new ChallengeParser(header).ParseInto(challenges);
        }

        return challenges;
    }

    private void ParseInto(List<Challenge> challenges)
    {
        Dictionary<string, string>? parameters = null;
        while (true)
        {
            Skip(" \t,");
            if (_position == _text.Length)
            {
                return;
            }

            string word = Token();
            if (word.Length == 0)
            {
                SkipToComma();
                continue;
            }

            int afterWord = _position;
            Skip(" \t");
            if (parameters is not null && Peek() == '=')
            {
                _position++;
                Skip(" \t");
                // A parameter given twice keeps its first value.
                parameters.TryAdd(word, Value());
            }
            else
            {
                _position = afterWord;
                parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                challenges.Add(new Challenge(word, parameters));
                SkipToken68();
            }
        }
    }

    private readonly char Peek() => _position < _text.Length ? _text[_position] : '\0';

    private void Skip(string characters)
    {
        while (_position < _text.Length && characters.Contains(_text[_position], StringComparison.Ordinal))
        {
            _position++;
        }
    }

    private void SkipToComma()
    {
        while (_position < _text.Length && _text[_position] != ',')
        {
            if (_text[_position] == '"')
            {
                Value();
            }
            else
            {
                _position++;
            }
        }
    }

    /// <summary>Skips the base64 that schemes such as Negotiate have in place of parameters: no parameter's name is followed by a
    /// comma.</summary>
    private void SkipToken68()
    {
        int start = _position;
        Skip(" \t");
        int from = _position;
        while (_position < _text.Length
            && (char.IsAsciiLetterOrDigit(_text[_position]) || "-._~+/=".Contains(_text[_position], StringComparison.Ordinal)))
        {
            _position++;
        }

        bool isToken68 = _position > from && (_position == _text.Length || _text[_position] == ',')
            && (_text[from.._position].IndexOf('=') is int equals && (equals < 0 || _text[from.._position][equals..].Trim('=').IsEmpty));
        if (!isToken68)
        {
            _position = start;
        }
    }

    private string Token()
    {
        int start = _position;
        while (_position < _text.Length
            && (char.IsAsciiLetterOrDigit(_text[_position]) || "!#$%&'*+-.^_`|~".Contains(_text[_position], StringComparison.Ordinal)))
        {
            _position++;
        }

        return _text[start.._position].ToString();
    }

    private string Value()
    {
        if (Peek() != '"')
        {
            int start = _position;
            while (_position < _text.Length && _text[_position] is not (',' or ' ' or '\t'))
            {
                _position++;
            }

            return _text[start.._position].ToString();
        }

        var value = new StringBuilder();
        for (_position++; _position < _text.Length && _text[_position] != '"'; _position++)
        {
            if (_text[_position] == '\\' && _position + 1 < _text.Length)
            {
                _position++;
            }

            value.Append(_text[_position]);
        }

        _position = Math.Min(_position + 1, _text.Length);
        return value.ToString();
    }
}
