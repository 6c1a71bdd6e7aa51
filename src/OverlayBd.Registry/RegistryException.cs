// SPDX-License-Identifier: Apache-2.0

using System.Net;

namespace OverlayBd.Registry;

/// <summary>A request to a registry failed. The message says what, where, why, and what to try; it never holds a secret.</summary>
public sealed class RegistryException : IOException
{
    internal RegistryException(RegistryError error, string message, HttpStatusCode? statusCode = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Error = error;
        StatusCode = statusCode;
    }

    /// <summary>Gets whether the same request may well succeed when it is made again.</summary>
    internal bool IsTransient { get; init; }

    /// <summary>Gets whether there was no connection at all: the name is not known, or nobody is at the address.</summary>
    internal bool IsUnreachable { get; init; }

    /// <summary>Gets how long to wait before that, when the failure itself says so.</summary>
    internal TimeSpan? RetryAfter { get; init; }

    /// <summary>Gets the kind of the failure.</summary>
    public RegistryError Error { get; }

    /// <summary>Gets the status of the registry's answer, or <see langword="null"/> when there was none.</summary>
    public HttpStatusCode? StatusCode { get; }
}
