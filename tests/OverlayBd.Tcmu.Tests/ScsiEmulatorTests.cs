// SPDX-License-Identifier: Apache-2.0

using System.Buffers.Binary;
using System.Text;
using OverlayBd.Tcmu.Scsi;

namespace OverlayBd.Tcmu.Tests;

public sealed class ScsiEmulatorTests
{
    private readonly ScsiEmulator _emulator = new(new DiskIdentity("dev_1", 512, IsReadOnly: true));

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
            ScsiResult result = _emulator.Execute([0x12, 1, (byte)i, 0, 96, 0], new DiskState(1000, true), new byte[ScsiEmulator.MaxDataLength]);
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
        foreach (byte opcode in new byte[] { 0x16, 0x4D, 0x5E, 0x5F, 0x89, 0xA3, 0x7F, 0xFF, 0x83 })
        {
            byte[] cdb = new byte[32];
            cdb[0] = opcode;
            ScsiResult result = _emulator.Execute(cdb, new DiskState(1000, true), new byte[ScsiEmulator.MaxDataLength]);
            Assert.Equal((0x02, 0x05, 0x2000), (result.Status, result.SenseKey, result.AdditionalSense));
        }
    }

    [Fact]
    public void SupportedOpcodes_AreThoseThatAreExecuted()
    {
        byte[] all = Execute([0xA3, 0x0C, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
        int length = BinaryPrimitives.ReadInt32BigEndian(all);
        var listed = new HashSet<byte>();
        for (int at = 4; at < 4 + length; at += 8)
        {
            listed.Add(all[at]);
        }

        Assert.Equal(Enum.GetValues<ScsiOpcode>().Select(static opcode => (byte)opcode).Order(), listed.Order());
        for (int opcode = 0; opcode < 256; opcode++)
        {
            // By code, and the service action where there is one.
            byte action = (byte)(opcode == 0x9E ? 0x10 : opcode == 0xA3 ? 0x0C : 0);
            byte[] one = Execute([0xA3, 0x0C, 3, (byte)opcode, 0, action, 0, 0, 2, 0, 0, 0]);
            Assert.Equal(listed.Contains((byte)opcode) ? 3 : 1, one[1] & 7);
            if ((one[1] & 7) == 3)
            {
                Assert.Equal(opcode, one[4]);
                Assert.Equal((opcode >> 5) switch { 0 => 6, 1 or 2 => 10, 4 => 16, _ => 12 }, BinaryPrimitives.ReadInt16BigEndian(one.AsSpan(2)));
            }
        }
    }

    [Theory]
    [InlineData(1, 0x9E, 0)] // has service actions
    [InlineData(2, 0x28, 0)] // has none
    [InlineData(5, 0x28, 0)] // no such option
    [InlineData(0x80, 0x28, 0)] // time-outs
    public void SupportedOpcodes_AskedInAWrongWay_AreRefused(byte options, byte opcode, byte action)
    {
        byte[] cdb = new byte[32];
        new byte[] { 0xA3, 0x0C, options, opcode, 0, action }.CopyTo(cdb, 0);
        Assert.Equal(ScsiResult.InvalidField, _emulator.Execute(cdb, new DiskState(1000, true), new byte[ScsiEmulator.MaxDataLength]));
    }

    [Fact]
    public void AnyCommand_OfAnyBytes_HasAnAnswer()
    {
        var random = new Random(9);
        byte[] cdb = new byte[32];
        for (int i = 0; i < 50_000; i++)
        {
            random.NextBytes(cdb);
            cdb[0] = (byte)i;
            ScsiResult result = _emulator.Execute(cdb, new DiskState(1000, true), new byte[ScsiEmulator.MaxDataLength]);
            Assert.InRange(result.DataLength, 0, ScsiEmulator.MaxDataLength);
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
        ScsiResult result = _emulator.Execute([.. cdb, .. new byte[32 - cdb.Length]], new DiskState(blocks, true), data);
        Assert.Equal(0, result.Status);
        return data;
    }
}
