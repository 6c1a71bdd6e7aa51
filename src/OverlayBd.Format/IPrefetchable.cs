// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format;

/// <summary>Implemented by a source that can bring bytes near before somebody reads them.</summary>
public interface IPrefetchable
{
    /// <summary>Brings a range near, without handing out its bytes.</summary>
    /// <param name="offset">The first byte, in bytes from the start of the source.</param>
    /// <param name="length">The number of bytes.</param>
    /// <param name="cancellationToken">Abandons the call.</param>
    /// <returns>A task that completes when a read of the range would need no network.</returns>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default);
}
