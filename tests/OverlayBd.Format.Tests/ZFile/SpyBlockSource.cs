// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Tests.ZFile;

/// <summary>Bytes in memory that may be changed, with a record of what is asked for.</summary>
internal class SpyBlockSource(byte[] content, bool asynchronous = false) : BlockSource
{
    public byte[] Content => content;

    public List<(long Offset, int Length)> Reads { get; } = [];

    public override long Length => content.Length;

    protected override async ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        Reads.Add((offset, buffer.Length));
        if (asynchronous)
        {
            await Task.Yield();
        }

        content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
    }
}
