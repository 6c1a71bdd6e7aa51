// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Ext4;

/// <summary>The file system is full. What was being written is incomplete; the image must be built anew, larger.</summary>
internal sealed class Ext4SpaceException : IOException
{
    private const int OutOfSpace = 28;

    /// <param name="reason">What ran out, as the end of a sentence.</param>
    internal Ext4SpaceException(string reason)
        : base($"The image's file system is full: {reason}. Build the image with a larger virtual size (--vsize).", OutOfSpace)
    {
        Reason = reason;
    }

    /// <summary>Gets what ran out, as the end of a sentence.</summary>
    internal string Reason { get; }
}
