// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Distribution;

/// <summary>A range being read into memory, over as many answers as it takes.</summary>
internal sealed class RangeRead(long offset, Memory<byte> buffer)
{
    private int _filled;

    /// <summary>The first byte that is still missing.</summary>
    public long First => offset + _filled;

    public long Last => offset + buffer.Length - 1;

    /// <summary>Fills the rest from an answer that begins at <see cref="First"/> and has been checked to end at
    /// <see cref="Last"/>.</summary>
    /// <exception cref="RegistryException">The body is shorter or longer, or the connection broke; transient.</exception>
    public async ValueTask FillAsync(RegistryResponse response, CancellationToken cancellationToken)
    {
        while (_filled < buffer.Length)
        {
            int count = await response.ReadAsync(buffer[_filled..], cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                throw ResponseError.Unexpected(
                    response, $"the body ends {buffer.Length - _filled} bytes before the range does", transient: true);
            }

            _filled += count;
        }

        // With a length in its header the answer cannot be longer; without one this read also finds the end, which frees the connection.
        if (response.ContentHeaders.ContentLength is null)
        {
            int count = await response.ReadAsync(new byte[1], cancellationToken).ConfigureAwait(false);
            if (count != 0)
            {
                _filled = 0;
                throw ResponseError.Unexpected(response, "the body goes on behind the end of the range", transient: true);
            }
        }
    }
}
