// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format;

/// <summary>Bytes in memory, read in place.</summary>
public sealed class MemoryBlockSource : BlockSource
{
    private readonly ReadOnlyMemory<byte> _memory;

    /// <summary>Makes a source of <paramref name="memory"/>, which is not copied.</summary>
    /// <param name="memory">The bytes; they must not change while the source is in use.</param>
    public MemoryBlockSource(ReadOnlyMemory<byte> memory) => _memory = memory;

    /// <inheritdoc/>
    public override long Length => _memory.Length;

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        _memory.Span.Slice((int)offset, buffer.Length).CopyTo(buffer.Span);
        return ValueTask.CompletedTask;
    }
}
