// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Compression;

namespace OverlayBd.Format.Tests.Compression;

public sealed class Crc32CTests
{
    [Fact]
    public void Append_OfTheCheckString_GivesTheKnownValue() =>
        Assert.Equal(0xE3069283, ~Crc32C.Append(0xFFFFFFFF, "123456789"u8));

    [Fact]
    public void Append_OfZerosToZero_IsZero() => Assert.Equal(0u, Crc32C.Append(0, new byte[100_000]));

    [Fact]
    public void Append_OfEveryLength_EqualsTheBitwiseDefinition()
    {
        byte[] data = new byte[8192];
        new Random(1).NextBytes(data);
        uint register = 100007;
        for (int length = 0; length < data.Length; length++)
        {
            Assert.Equal(register, Crc32C.Append(100007, data.AsSpan(0, length)));
            Assert.Equal(register, Crc32C.AppendSerially(100007, data.AsSpan(0, length)));
            register ^= data[length];
            for (int bit = 0; bit < 8; bit++)
            {
                register = (register >> 1) ^ ((register & 1) * 0x82F63B78);
            }
        }
    }

    [Fact]
    public void Append_OfEveryLengthAndAlignment_InEveryWay_EqualsTheSerial()
    {
        byte[] data = new byte[4096 + 64];
        new Random(3).NextBytes(data);
        for (int start = 0; start < 64; start++)
        {
            // The serial register of a length continues that of the length before.
            uint expected = 0x9E3779B9;
            for (int length = 0; length <= 4096; length++)
            {
                ReadOnlySpan<byte> slice = data.AsSpan(start, length);
                expected = length == 0 ? expected : Crc32C.AppendSerially(expected, slice[^1..]);
                if (expected != Crc32C.Append(0x9E3779B9, slice) || (Crc32C.HasStreams && expected != Crc32C.AppendInStreams(0x9E3779B9, slice)))
                {
                    Assert.Fail($"{length} bytes from {start} on have another register");
                }
            }
        }
    }

    [Fact]
    public void Append_InPieces_EqualsTheWhole()
    {
        byte[] data = new byte[200_000];
        var random = new Random(2);
        random.NextBytes(data);
        for (int i = 0; i < 200; i++)
        {
            ReadOnlySpan<byte> slice = data.AsSpan(random.Next(100_000), random.Next(100_000));
            int cut = random.Next(slice.Length);
            uint seed = (uint)random.NextInt64(uint.MaxValue);
            uint whole = Crc32C.AppendSerially(seed, slice);
            Assert.Equal(whole, Crc32C.Append(seed, slice));
            Assert.Equal(whole, Crc32C.Append(Crc32C.Append(seed, slice[..cut]), slice[cut..]));
        }
    }
}
