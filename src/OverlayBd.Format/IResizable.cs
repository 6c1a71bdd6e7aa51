// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format;

/// <summary>Implemented by a store whose length can grow while it is in use.</summary>
/// <remarks>Whoever serves the store as a device announces the new length; reads and writes go on meanwhile.</remarks>
public interface IResizable
{
    /// <summary>Makes the store longer, durably. What is added reads as zeros, or as what a layer below has there.</summary>
    /// <param name="length">The new length, in bytes; not below <see cref="BlockSource.Length"/>, and a multiple of the store's write
    /// alignment.</param>
    /// <param name="cancellationToken">Abandons the call before anything has changed.</param>
    /// <returns>A task that completes when <see cref="BlockSource.Length"/> is the new one and would survive a crash.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The length is below the present one, not aligned, or more than the format can
    /// state.</exception>
    /// <exception cref="InvalidOperationException">The store is read-only.</exception>
    /// <exception cref="IOException">The new length could not be stored; the old one still holds.</exception>
    ValueTask ResizeAsync(long length, CancellationToken cancellationToken = default);
}
