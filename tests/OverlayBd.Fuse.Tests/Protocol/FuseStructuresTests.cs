// SPDX-License-Identifier: Apache-2.0

using System.Runtime.CompilerServices;
using OverlayBd.Fuse.Interop;
using OverlayBd.Fuse.Loop;
using OverlayBd.Fuse.Protocol;

namespace OverlayBd.Fuse.Tests.Protocol;

public sealed class FuseStructuresTests
{
    [Fact]
    public void Size_IsTheKernels()
    {
        Assert.Equal(40, Unsafe.SizeOf<FuseInHeader>());
        Assert.Equal(16, Unsafe.SizeOf<FuseOutHeader>());
        Assert.Equal(64, Unsafe.SizeOf<FuseInitIn>());
        Assert.Equal(64, Unsafe.SizeOf<FuseInitOut>());
        Assert.Equal(104, Unsafe.SizeOf<FuseAttributes>());
        Assert.Equal(24, Unsafe.SizeOf<FuseSetAttributesIn>());
        Assert.Equal(16, Unsafe.SizeOf<FuseOpenOut>());
        Assert.Equal(40, Unsafe.SizeOf<FuseTransferIn>());
        Assert.Equal(8, Unsafe.SizeOf<FuseWriteOut>());
        Assert.Equal(32, Unsafe.SizeOf<FuseAllocateIn>());
        Assert.Equal(80, Unsafe.SizeOf<FuseStatFsOut>());
        Assert.Equal(232, Unsafe.SizeOf<LoopInfo>());
        Assert.Equal(304, Unsafe.SizeOf<LoopConfig>());
        Assert.Equal(120, Unsafe.SizeOf<StatFs>());
    }

    [Fact]
    public unsafe void Offset_OfWhatTheKernelReads_IsTheHeaders()
    {
        FuseInitOut init = default;
        byte* start = (byte*)&init;
        Assert.Equal(16, (byte*)&init.MaxBackground - start);
        Assert.Equal(20, (byte*)&init.MaxWrite - start);
        Assert.Equal(28, (byte*)&init.MaxPages - start);
        Assert.Equal(32, (byte*)&init.Flags2 - start);
        Assert.Equal(40, (byte*)&init.RequestTimeout - start);
        LoopConfig config = default;
        start = (byte*)&config;
        Assert.Equal(4, (byte*)&config.BlockSize - start);
        Assert.Equal(60, (byte*)&config.Info.Flags - start);
        Assert.Equal(64, config.Info.FileName - start);
    }
}
