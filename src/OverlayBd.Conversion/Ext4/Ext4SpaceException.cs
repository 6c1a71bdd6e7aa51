// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Ext4;

/// <summary>The file system is full. What was being written is incomplete; the image must be built anew, larger.</summary>
internal sealed class Ext4SpaceException : IOException
{
    private const int OutOfSpace = 28;

    private readonly string _reason;

    /// <param name="reason">What ran out, as the end of a sentence.</param>
    internal Ext4SpaceException(string reason)
        : this("", reason)
    {
    }

    private Ext4SpaceException(string prefix, string reason)
        : base($"{prefix}The image's file system is full: {reason}. Build the image with a larger virtual size (--vsize).", OutOfSpace)
    {
        _reason = reason;
    }

    /// <summary>The same, and where it happened.</summary>
    internal Ext4SpaceException At(string where) => new($"{where}: ", _reason);
}
