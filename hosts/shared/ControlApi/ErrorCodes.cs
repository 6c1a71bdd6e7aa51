// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>The values of <see cref="ErrorDetail.Code"/>, each with one HTTP status.</summary>
internal static class ErrorCodes
{
    /// <summary>400: the request itself is wrong.</summary>
    public const string InvalidRequest = "invalid-request";

    /// <summary>404: no such device, image or file.</summary>
    public const string NotFound = "not-found";

    /// <summary>409: the device is in use, or a private server has one already.</summary>
    public const string Busy = "busy";

    /// <summary>422: the bytes of the image are malformed.</summary>
    public const string BadImage = "bad-image";

    /// <summary>502: the registry failed or refused.</summary>
    public const string Registry = "registry";

    /// <summary>503: this server, or this kernel, cannot do that now.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>500: the kernel refused, or the disk failed.</summary>
    public const string System = "system";

    public static int ToStatus(string code) => code switch
    {
        InvalidRequest => 400,
        NotFound => 404,
        Busy => 409,
        BadImage => 422,
        Registry => 502,
        Unavailable => 503,
        _ => 500,
    };
}
