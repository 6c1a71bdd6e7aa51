// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;

namespace OverlayBd.Backstore.Devices;

/// <summary>Checks a request by itself, before anything is opened for it.</summary>
internal static class AttachRequestCheck
{
    /// <summary>Finds what is to be attached; exactly one thing must be named, and paths mean the same to everybody.</summary>
    /// <exception cref="RequestException">The request does not make sense.</exception>
    public static string FindSource(AttachRequest request)
    {
        string[] named = [.. ((string?[])[request.Image, request.Config, request.Layers is { Count: > 0 } ? string.Join(',', request.Layers) : null])
            .OfType<string>()];
        if (named.Length != 1)
        {
            throw new RequestException(ErrorCodes.InvalidRequest, "Name exactly one of image, config and layers.");
        }

        if (request.FrontEnd is { } frontEnd && !FrontEnds.IsKnown(frontEnd))
        {
            throw new RequestException(ErrorCodes.InvalidRequest, $"frontEnd is '{frontEnd}'; expected auto, tcmu or fuse.");
        }

        IEnumerable<string?> paths =
            [request.Config, .. request.Layers ?? [], request.Upper?.Data, request.Upper?.Index, request.Record, request.Replay];
        return paths.OfType<string>().FirstOrDefault(path => !Path.IsPathFullyQualified(path)) is { } relative
            ? throw new RequestException(ErrorCodes.InvalidRequest, $"{relative} is not an absolute path.")
            : named[0];
    }
}
