// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion.Tar;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Passes a stream through, which it owns, and reports how much of it has been read.</summary>
internal sealed class ProgressStream(Stream stream, IProgress<long>? progress) : ForwardReadStream
{
    private long _done;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        progress?.Report(_done += read);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            stream.Dispose();
        }

        base.Dispose(disposing);
    }
}
