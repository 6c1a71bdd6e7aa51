// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OverlayBd.Testing.Trees;

/// <summary>A hash of a file's content that takes no time for holes: equal for equal content, wherever the holes are.</summary>
/// <remarks>What is hashed are the pages of 4096 bytes that are not all zeros, each behind its number, and the length.</remarks>
public sealed class ContentHash : IDisposable
{
    private const int PageSize = 4096;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _page = new byte[PageSize];
    private readonly byte[] _number = new byte[sizeof(long)];
    private long _position;

    /// <summary>The hash of content that is in memory whole.</summary>
    public static string Of(ReadOnlySpan<byte> content)
    {
        using var hash = new ContentHash();
        hash.Append(0, content);
        return hash.Complete(content.Length);
    }

    /// <summary>Adds what is stored at an offset; what was between this and the last is zeros.</summary>
    public void Append(long offset, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(offset, _position);
        SkipTo(offset);
        while (!data.IsEmpty)
        {
            int at = (int)(_position % PageSize);
            int count = Math.Min(PageSize - at, data.Length);
            data[..count].CopyTo(_page.AsSpan(at));
            data = data[count..];
            _position += count;
            if (at + count == PageSize)
            {
                HashPage((_position / PageSize) - 1);
            }
        }
    }

    /// <summary>Adds the zeros up to the file's length, and gives the hash in hexadecimal.</summary>
    public string Complete(long length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, _position);
        SkipTo(length);
        HashPage(_position / PageSize);
        AppendNumber(length);
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private void SkipTo(long offset)
    {
        if (offset / PageSize != _position / PageSize)
        {
            HashPage(_position / PageSize);
        }

        _position = offset;
    }

    private void HashPage(long number)
    {
        if (_page.AsSpan().ContainsAnyExcept((byte)0))
        {
            AppendNumber(number);
            _hash.AppendData(_page);
            Array.Clear(_page);
        }
    }

    private void AppendNumber(long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_number, number);
        _hash.AppendData(_number);
    }
}
