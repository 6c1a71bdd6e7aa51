// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;

namespace OverlayBd.Cli.Containerd;

/// <summary>containerd refused, or could not be asked.</summary>
internal sealed class ContainerdException : IOException
{
    /// <param name="message">What failed, where and why, as sentences.</param>
    /// <param name="status">containerd's class of the failure.</param>
    /// <param name="advice">What to try; null when there is nothing to say.</param>
    /// <param name="cause">What it comes from.</param>
    public ContainerdException(string message, StatusCode status, string? advice = null, Exception? cause = null)
        : base(message, cause)
    {
        Status = status;
        Advice = advice;
    }

    public StatusCode Status { get; }

    public string? Advice { get; }
}
