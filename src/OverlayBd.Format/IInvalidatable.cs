// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format;

/// <summary>Implemented by a source that keeps copies of bytes it fetched, and can forget them.</summary>
/// <remarks>A reader that finds a block damaged forgets the range and reads it once more before it gives up.
/// Sources that wrap another one pass the call on.</remarks>
public interface IInvalidatable
{
    /// <summary>Forgets the kept copy of a range, so that the next read fetches it again.</summary>
    /// <param name="offset">The first byte, in bytes from the start of the source.</param>
    /// <param name="length">The number of bytes.</param>
    /// <param name="cancellationToken">Abandons the call; the copy may then be kept.</param>
    /// <returns><see langword="true"/> when something was forgotten, so that reading again makes sense.</returns>
    ValueTask<bool> InvalidateAsync(long offset, long length, CancellationToken cancellationToken = default);
}
