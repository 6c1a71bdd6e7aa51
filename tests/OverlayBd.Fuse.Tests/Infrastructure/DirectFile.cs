// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;
using OverlayBd.Fuse.Interop;
using Tmds.Linux;

namespace OverlayBd.Fuse.Tests.Infrastructure;

/// <summary>A device opened past the page cache; reads and writes block a thread of their own, as a stalled one cannot be cancelled.</summary>
internal sealed class DirectFile : IDisposable
{
    private readonly FileDescriptor _descriptor;
    private readonly SafeFileHandle _handle;

    public DirectFile(string path, bool writable = false)
    {
        _descriptor = FileDescriptor.Open(path, (writable ? LibC.O_RDWR : LibC.O_RDONLY) | LibC.O_DIRECT);
        _handle = new SafeFileHandle(_descriptor.Value, ownsHandle: false);
    }

    public Task<byte[]> ReadAsync(long offset, int length) => BlockingCall.RunAsync(() =>
    {
        using var buffer = new NativeBuffer(length);
        int count = RandomAccess.Read(_handle, buffer.GetSpan(), offset);
        Assert.Equal(length, count);
        return buffer.GetSpan().ToArray();
    });

    public Task WriteAsync(long offset, byte[] content) => BlockingCall.RunAsync(() =>
    {
        using var buffer = new NativeBuffer(content.Length);
        content.CopyTo(buffer.GetSpan());
        RandomAccess.Write(_handle, buffer.GetSpan(), offset);
    });

    public void Dispose()
    {
        _handle.Dispose();
        _descriptor.Dispose();
    }
}
