// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace OverlayBd.Testing.Tar;

/// <summary>A header block being filled; fields may hold whatever a test wants.</summary>
public sealed class TarHeaderBlock
{
    public const int Size = 512;

    /// <summary>The block; the checksum is only right after <see cref="Seal"/>.</summary>
    public byte[] Bytes { get; } = new byte[Size];

    public void SetText(int offset, int length, ReadOnlySpan<byte> text)
    {
        Bytes.AsSpan(offset, length).Clear();
        text[..Math.Min(text.Length, length)].CopyTo(Bytes.AsSpan(offset, length));
    }

    /// <summary>Octal with a NUL at the end.</summary>
    public void SetOctal(int offset, int length, long value)
        => SetText(offset, length, Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(length - 1, '0')));

    /// <summary>GNU's two's complement.</summary>
    public void SetBase256(int offset, int length, long value)
    {
        for (int i = length - 1; i >= 0; i--, value >>= 8)
        {
            Bytes[offset + i] = (byte)value;
        }

        Bytes[offset] |= 0x80;
    }

    public static bool FitsOctal(long value, int length) => value >= 0 && (length >= 22 || value < 1L << (3 * (length - 1)));

    /// <summary>Computes the checksum.</summary>
    /// <param name="signed">Sums as writers did whose char is signed.</param>
    public byte[] Seal(bool signed = false)
    {
        Bytes.AsSpan(148, 8).Fill((byte)' ');
        int sum = Bytes.Sum(value => signed ? (sbyte)value : value);
        SetText(148, 8, Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 "));
        return Bytes;
    }
}
