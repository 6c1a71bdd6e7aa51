// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Security.Cryptography;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Authentication;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Distribution;

/// <summary>One blob on its way into a registry: mounted from another repository, or sent whole, or sent in pieces.</summary>
/// <remarks>OCI distribution specification, "Pushing blobs". A try that fails starts over with a new session.</remarks>
internal sealed class BlobUpload(
    RegistrySession session,
    RegistryClientOptions options,
    RegistryStatistics statistics,
    Descriptor blob,
    Func<CancellationToken, ValueTask<Stream>> open,
    string? mountFrom,
    IProgress<long>? progress)
{
    private readonly Purpose _purpose = new("push", $"blob {blob.Digest}", session.Name);
    private readonly TokenScope _scope = new(session.Repository, Push: true, mountFrom);

    /// <summary>One try.</summary>
    public async ValueTask<bool> SendAsync(RegistryEndpoint endpoint, CancellationToken cancellationToken)
    {
        Uri? place = await StartAsync(endpoint, cancellationToken).ConfigureAwait(false);
        if (place is null)
        {
            progress?.Report(blob.Size);
            return true;
        }

        Stream content = await open(cancellationToken).ConfigureAwait(false);
        await using (content.ConfigureAwait(false))
        {
            using IncrementalHash hash = blob.Digest.CreateHash();
            long position = 0;
            if (options.UploadChunkSize > 0 && blob.Size > options.UploadChunkSize)
            {
                while (position < blob.Size)
                {
                    long length = Math.Min(options.UploadChunkSize, blob.Size - position);
                    place = await SendPieceAsync(endpoint, place, content, hash, position, length, cancellationToken).ConfigureAwait(false);
                    position += length;
                }
            }

            await FinishAsync(endpoint, place, content, hash, position, cancellationToken).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>Opens an upload session; null when the blob could be mounted instead.</summary>
    private async ValueTask<Uri?> StartAsync(RegistryEndpoint endpoint, CancellationToken cancellationToken)
    {
        string query = mountFrom is null
            ? ""
            : $"?mount={Uri.EscapeDataString(blob.Digest.ToString())}&from={Uri.EscapeDataString(mountFrom)}";
        var request = new RegistryRequest
        {
            Method = HttpMethod.Post,
            Path = $"{session.Repository}/blobs/uploads/{query}",
            Scope = _scope,
            Purpose = _purpose,
            Content = static _ => new ByteArrayContent([]),
        };
        using RegistryResponse response = await session.Sender.SendAsync(endpoint, request, cancellationToken).ConfigureAwait(false);
        return response.Status switch
        {
            HttpStatusCode.Created when mountFrom is not null => null,
            HttpStatusCode.Accepted => AuthorizedSender.Target(response),
            _ => throw await session.Sender.FailureAsync(response, cancellationToken).ConfigureAwait(false),
        };
    }

    private async ValueTask<Uri> SendPieceAsync(
        RegistryEndpoint endpoint, Uri place, Stream content, IncrementalHash hash, long position, long length,
        CancellationToken cancellationToken)
    {
        var request = new RegistryRequest
        {
            Method = HttpMethod.Patch,
            Target = place,
            Scope = _scope,
            Purpose = _purpose,
            ContentIsReplayable = false,
            Content = deadline =>
            {
                HttpContent piece = Body(content, length, hash, position, null, deadline);
                // The distribution specification wants no unit here, which the framework's own type cannot leave out.
                piece.Headers.TryAddWithoutValidation("Content-Range", $"{position}-{position + length - 1}");
                return piece;
            },
        };
        using RegistryResponse response = await session.Sender.SendAsync(endpoint, request, cancellationToken).ConfigureAwait(false);
        if (response.Status is not (HttpStatusCode.Accepted or HttpStatusCode.NoContent))
        {
            throw await FailureAsync(response, cancellationToken).ConfigureAwait(false);
        }

        string expected = $"0-{position + length - 1}";
        string? range = response.Header("Range");
        return range is null || range == expected || range == "bytes=" + expected
            ? AuthorizedSender.Target(response)
            : throw ResponseError.Unexpected(
                response, $"it has bytes {Redaction.Clean(range, 60)} of the upload where {expected} were sent", transient: true);
    }

    /// <summary>Sends what is left, which is everything unless it went in pieces, and closes the session with the digest.</summary>
    private async ValueTask FinishAsync(
        RegistryEndpoint endpoint, Uri place, Stream content, IncrementalHash hash, long position, CancellationToken cancellationToken)
    {
        string digest = "digest=" + Uri.EscapeDataString(blob.Digest.ToString());
        var target = new UriBuilder(place);
        target.Query = target.Query.Length > 1 ? $"{target.Query[1..]}&{digest}" : digest;
        bool sentAll = position == blob.Size;
        if (sentAll)
        {
            Verify(hash);
        }

        var request = new RegistryRequest
        {
            Method = HttpMethod.Put,
            Target = target.Uri,
            Scope = _scope,
            Purpose = _purpose,
            ContentIsReplayable = false,
            Content = deadline => Body(
                content, blob.Size - position, hash, position, sentAll ? null : () => Verify(hash), deadline),
        };
        using RegistryResponse response = await session.Sender.SendAsync(endpoint, request, cancellationToken).ConfigureAwait(false);
        if (response.Status is not (HttpStatusCode.Created or HttpStatusCode.NoContent or HttpStatusCode.Accepted))
        {
            throw await FailureAsync(response, cancellationToken).ConfigureAwait(false);
        }

        if (response.Header("Docker-Content-Digest") is string stored && stored != blob.Digest.ToString())
        {
            throw ResponseError.Unexpected(response, $"it stored {Redaction.Clean(stored, 150)} instead", transient: true);
        }
    }

    private UploadContent Body(Stream content, long length, IncrementalHash hash, long position, Action? completing, Deadline deadline)
    {
        long sent = position;
        return new UploadContent(
            content,
            length,
            hash,
            count =>
            {
                statistics.AddSent(count);
                sent += count;
                progress?.Report(sent);
            },
            completing,
            deadline,
            options.StallTimeout);
    }

    /// <summary>Nothing of a blob that is not its digest's becomes visible: the last bytes are not sent.</summary>
    private void Verify(IncrementalHash hash)
    {
        byte[] actual = hash.GetCurrentHash();
        if (!blob.Digest.MatchesHash(actual))
        {
            throw new InvalidDataException(
                $"{_purpose}: the content is not that of its digest; found {blob.Digest.Algorithm}:{Convert.ToHexStringLower(actual)}.");
        }
    }

    /// <summary>A session that the registry has forgotten is no failure for good: the next try opens another.</summary>
    private async ValueTask<RegistryException> FailureAsync(RegistryResponse response, CancellationToken cancellationToken)
    {
        RegistryException failure = await session.Sender.FailureAsync(response, cancellationToken).ConfigureAwait(false);
        return failure.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.RequestedRangeNotSatisfiable or HttpStatusCode.Conflict
            ? new RegistryException(failure.Error, failure.Message, failure.StatusCode) { IsTransient = true }
            : failure;
    }
}
