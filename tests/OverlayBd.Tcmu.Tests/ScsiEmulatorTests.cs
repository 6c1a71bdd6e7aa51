// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;
using OverlayBd.Tcmu.Scsi;

namespace OverlayBd.Tcmu.Tests;

public sealed class ScsiEmulatorTests
{
    private readonly ScsiEmulator _emulator = new(new DiskIdentity("dev_1", 512, IsReadOnly: true, WriteCache: true));

    [Fact]
    public void Inquiry_NamesUpstreamsDisk()
    {
        byte[] data = Execute([0x12, 0, 0, 0, 96, 0]);
        Assert.Equal("LIO-ORG TCMU device     0002", Encoding.ASCII.GetString(data, 8, 28));
        Assert.Equal(0x02, data[7]);
    }

    [Fact]
    public void VitalProductData_ListsExactlyThePagesThereAre()
    {
        byte[] pages = Execute([0x12, 1, 0, 0, 96, 0]);
        Assert.Equal(6, pages[3]);
        for (int i = 0; i < 256; i++)
        {
            bool listed = pages.AsSpan(4, 6).Contains((byte)i);
            ScsiResult result = _emulator.Execute([0x12, 1, (byte)i, 0, 96, 0], 1000, new byte[ScsiEmulator.MaxDataLength]);
            Assert.Equal(listed, result.Status == 0);
        }
    }

    [Fact]
    public void ReadCapacity_TellsTheLastBlock_AndThatUnmappedBlocksAreZeros()
    {
        byte[] ten = Execute([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], blocks: 1UL << 33);
        Assert.Equal(uint.MaxValue, BinaryPrimitives.ReadUInt32BigEndian(ten));
        byte[] sixteen = Execute([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0], blocks: 1UL << 33);
        Assert.Equal((1UL << 33) - 1, BinaryPrimitives.ReadUInt64BigEndian(sixteen));
        Assert.Equal(512u, BinaryPrimitives.ReadUInt32BigEndian(sixteen.AsSpan(8)));
        Assert.Equal(0xC0, sixteen[14]);
    }

    [Fact]
    public void ModeSense_TellsWriteProtectionAndCache_ButNothingChangeable()
    {
        byte[] six = Execute([0x1A, 0, 0x08, 0, 96, 0]);
        Assert.Equal(0x90, six[2]);
        Assert.Equal(0x04, six[4 + 2]);
        byte[] changeable = Execute([0x1A, 0, 0x48, 0, 96, 0]);
        Assert.Equal(0, changeable[4 + 2]);
        byte[] all = Execute([0x5A, 0, 0x3F, 0, 0, 0, 0, 0, 96, 0]);
        Assert.Equal(8 + 12 + 20 + 12 - 2, BinaryPrimitives.ReadInt16BigEndian(all));
    }

    [Fact]
    public void ModeSelect_OfWhatIs_IsAccepted_AndOfAnythingElseNot()
    {
        byte[] current = Execute([0x1A, 0, 0x08, 0, 96, 0]);
        byte[] list = [0, 0, 0, 0, .. current.AsSpan(4, 20)];
        Assert.True(ModePages.Matches(list, ten: false, writeCache: true));
        list[4 + 2] = 0;
        Assert.False(ModePages.Matches(list, ten: false, writeCache: true));
        for (int length = 1; length < list.Length; length++)
        {
            ModePages.Matches(list.AsSpan(0, length), ten: false, writeCache: true);
            ModePages.Matches(list.AsSpan(0, length), ten: true, writeCache: true);
        }
    }

    [Fact]
    public void UnknownCommands_AreRefused()
    {
        foreach (byte opcode in new byte[] { 0x89, 0xA3, 0x7F, 0xFF, 0x83 })
        {
            byte[] cdb = new byte[32];
            cdb[0] = opcode;
            ScsiResult result = _emulator.Execute(cdb, 1000, new byte[ScsiEmulator.MaxDataLength]);
            Assert.Equal((0x02, 0x05, 0x2000), (result.Status, result.SenseKey, result.AdditionalSense));
        }
    }

    [Fact]
    public void UnmapList_OfAnyLength_IsParsedOrRefused()
    {
        var random = new Random(8);
        for (int i = 0; i < 5000; i++)
        {
            byte[] list = new byte[random.Next(80)];
            random.NextBytes(list);
            if (list.Length > 3 && random.Next(2) == 0)
            {
                BinaryPrimitives.WriteUInt16BigEndian(list.AsSpan(2), (ushort)(random.Next(5) * 16));
            }

            if (UnmapList.TryParse(list, out UnmapList parsed))
            {
                for (int n = 0; n < parsed.Count; n++)
                {
                    _ = parsed[n];
                }
            }
        }
    }

    private byte[] Execute(byte[] cdb, ulong blocks = 1000)
    {
        byte[] data = new byte[ScsiEmulator.MaxDataLength];
        ScsiResult result = _emulator.Execute([.. cdb, .. new byte[32 - cdb.Length]], blocks, data);
        Assert.Equal(0, result.Status);
        return data;
    }
}
