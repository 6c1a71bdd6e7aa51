// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;

namespace OverlayBd.Testing.Registries;

/// <summary>What a <see cref="FaultyRegistry"/> does wrong to a request.</summary>
public sealed record Fault
{
    private Fault()
    {
    }

    /// <summary>Breaks the connection without an answer.</summary>
    public static Fault Abort { get; } = new() { Kind = FaultKind.Abort };

    /// <summary>Never answers.</summary>
    public static Fault Hang { get; } = new() { Kind = FaultKind.Hang };

    /// <summary>Answers 200 with the whole blob, whatever range was asked for.</summary>
    public static Fault IgnoreRange { get; } = new() { Kind = FaultKind.IgnoreRange };

    /// <summary>Answers the right range with bytes that are not the blob's.</summary>
    public static Fault WrongBytes { get; } = new() { Kind = FaultKind.WrongBytes };

    /// <summary>Answers 206 without a Content-Range.</summary>
    public static Fault NoContentRange { get; } = new() { Kind = FaultKind.NoContentRange };

    internal FaultKind Kind { get; private init; }

    internal int StatusCode { get; private init; }

    internal string? RetryAfter { get; private init; }

    internal string? Text { get; private init; }

    internal long Count { get; private init; }

    internal Digest Digest { get; private init; }

    /// <summary>Answers with a status.</summary>
    public static Fault Status(int code, string? retryAfter = null, string? body = null) =>
        new() { Kind = FaultKind.Status, StatusCode = code, RetryAfter = retryAfter, Text = body };

    /// <summary>Sends so many bytes of the body, of which the header promises more, and breaks the connection.</summary>
    public static Fault CloseAfter(long bytes) => new() { Kind = FaultKind.CloseAfter, Count = bytes };

    /// <summary>Sends so many bytes of the body and then nothing more, keeping the connection.</summary>
    public static Fault StallAfter(long bytes) => new() { Kind = FaultKind.StallAfter, Count = bytes };

    /// <summary>Sends a body, length header included, that is so many bytes shorter than the range.</summary>
    public static Fault ShorterBy(long bytes) => new() { Kind = FaultKind.ShorterBy, Count = bytes };

    /// <summary>Answers a range that begins so many bytes later, and says so in its Content-Range.</summary>
    public static Fault ShiftedBy(long bytes) => new() { Kind = FaultKind.ShiftedBy, Count = bytes };

    /// <summary>Tells another total size of the blob.</summary>
    public static Fault WrongTotal(long size) => new() { Kind = FaultKind.WrongTotal, Count = size };

    /// <summary>Sends another blob of the registry.</summary>
    public static Fault OtherBlob(Digest digest) => new() { Kind = FaultKind.OtherBlob, Digest = digest };

    /// <summary>Redirects; <c>{path}</c> in the address becomes the request's path.</summary>
    public static Fault RedirectTo(string location, int code = 307) =>
        new() { Kind = FaultKind.Redirect, Text = location, StatusCode = code };
}
