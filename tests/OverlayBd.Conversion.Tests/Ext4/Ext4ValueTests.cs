// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Ext4;
using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Tests.Ext4;

public sealed class Ext4ValueTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(-1, 500_000_000)]
    [InlineData(int.MinValue, 1)]
    [InlineData(int.MaxValue, 999_999_999)]
    [InlineData(int.MaxValue + 1L, 7)]
    [InlineData(1L << 32, 0)]
    [InlineData(15_032_385_535, 999_999_999)]
    public void Time_InRange_SurvivesTheRoundTrip(long seconds, int nanoseconds)
    {
        var time = new FileTime(seconds, nanoseconds);
        (uint low, uint extra) = Ext4Time.Encode(time);
        Assert.Equal(time, Ext4Time.Decode(low, extra));
    }

    [Theory]
    [InlineData(long.MinValue, int.MinValue)]
    [InlineData(long.MaxValue, 15_032_385_535)]
    [InlineData(15_032_385_536, 15_032_385_535)]
    public void Time_OutOfRange_BecomesTheNearest(long seconds, long expected)
    {
        (uint low, uint extra) = Ext4Time.Encode(new FileTime(seconds, 5));
        Assert.Equal(new FileTime(expected, 0), Ext4Time.Decode(low, extra));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 3)]
    [InlineData(255, 255)]
    [InlineData(256, 0)]
    [InlineData(8, 256)]
    [InlineData(4095, 1048575)]
    public void DeviceNumber_Any_SurvivesTheRoundTrip(uint major, uint minor)
    {
        byte[] area = new byte[60];
        DeviceNumber.Encode(major, minor, area);
        Assert.Equal((major, minor), DeviceNumber.Decode(area));
    }

    [Fact]
    public void PosixAcl_NamedAndUnnamedEntries_SurviveTheRoundTrip()
    {
        byte[] value = Acl((0x01, 7, uint.MaxValue), (0x02, 5, 1000), (0x04, 4, uint.MaxValue), (0x08, 1, 70000), (0x20, 0, uint.MaxValue));
        Assert.True(PosixAcl.TryToStored(value, out byte[] stored));
        Assert.Equal(4 + (3 * 4) + (2 * 8), stored.Length);
        Assert.True(PosixAcl.TryFromStored(stored, out byte[] back));
        Assert.Equal(value, back);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1, 0, 0, 0 })]
    [InlineData(new byte[] { 2, 0, 0, 0, 1 })]
    public void PosixAcl_Malformed_IsRefused(byte[] value) => Assert.False(PosixAcl.TryToStored(value, out _));

    [Fact]
    public void ExtentTree_ManyExtents_SurviveTheRoundTrip()
    {
        foreach (int count in new[] { 0, 1, 4, 5, 340, 341, 1360, 1361, 5000 })
        {
            var nodes = new Dictionary<ulong, byte[]>();
            ulong next = 1UL << 40;
            List<FileExtent> extents = [.. Enumerable.Range(0, count).Select(i => new FileExtent((uint)i * 3, (ulong)i * 7 + 100, 2))];
            byte[] root = new byte[60];
            int used = ExtentTree.Build(root, extents, () => next++, nodes.Add);
            Assert.Equal(nodes.Count, used);
            Assert.Equal(extents, ExtentTree.Read(root, block => nodes[block], 12));
        }
    }

    [Fact]
    public void ExtentTree_Malformed_Throws()
    {
        Assert.Throws<InvalidDataException>(() => ExtentTree.Read(new byte[60], _ => new byte[4096], 12));
        byte[] root = new byte[60];
        List<FileExtent> extents = [.. Enumerable.Range(0, 5).Select(i => new FileExtent((uint)i, 9, 1))];
        ExtentTree.Build(root, extents, () => 1, (_, _) => { });

        // A node that names itself as its child.
        Assert.Throws<InvalidDataException>(() => ExtentTree.Read(root, _ => [.. root, .. new byte[4036]], 12));
    }

    [Fact]
    public void NameTable_AddAndRemove_AgreesWithADictionary()
    {
        var random = new Random(5);
        var table = new NameTable();
        var model = new Dictionary<uint, uint>();
        for (int i = 0; i < 20_000; i++)
        {
            uint place = (uint)random.Next(2000);
            uint hash = place % 97;
            if (model.Remove(place))
            {
                table.Remove(hash, place);
            }
            else
            {
                model.Add(place, hash);
                table.Add(hash, place);
            }
        }

        Assert.Equal(model.Count, table.Count);
        for (uint place = 0; place < 2000; place++)
        {
            bool found = false;
            uint probe = 0;
            while (!found && table.TryNext(place % 97, ref probe, out uint candidate))
            {
                found = candidate == place;
            }

            Assert.Equal(model.ContainsKey(place), found);
        }
    }

    private static byte[] Acl(params (ushort Tag, ushort Permissions, uint Id)[] entries)
    {
        var value = new List<byte>(BitConverter.GetBytes(2));
        foreach ((ushort tag, ushort permissions, uint id) in entries)
        {
            value.AddRange([.. BitConverter.GetBytes(tag), .. BitConverter.GetBytes(permissions), .. BitConverter.GetBytes(id)]);
        }

        return [.. value];
    }
}
