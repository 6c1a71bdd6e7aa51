// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using Tmds.Linux;

namespace OverlayBd.Fuse.Interop;

/// <summary>Page-aligned memory outside the managed heap; pages that nothing touched cost nothing.</summary>
/// <remarks>
/// It is mapped rather than allocated so that freeing it really gives the pages back, and so that the garbage collector
/// neither moves nor scans it while the kernel copies.
/// </remarks>
internal sealed unsafe class NativeBuffer : MemoryManager<byte>
{
    private readonly int _length;
    private byte* _pointer;

    /// <summary>Maps <paramref name="length"/> zero bytes.</summary>
    public NativeBuffer(int length)
    {
        void* pointer = LibC.mmap(
            null, (size_t)length, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS, -1, 0);
        if (pointer == LibC.MAP_FAILED)
        {
            throw KernelError.Create(LibC.errno, $"{length} bytes cannot be mapped for a request");
        }

        _pointer = (byte*)pointer;
        _length = length;
    }

    /// <summary>The first byte; valid until the buffer is disposed.</summary>
    public byte* Pointer => _pointer;

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new(_pointer, _length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, _length);
        return new MemoryHandle(_pointer + elementIndex, pinnable: this);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_pointer is not null)
        {
            _ = LibC.munmap(_pointer, (size_t)_length);
            _pointer = null;
        }
    }
}
