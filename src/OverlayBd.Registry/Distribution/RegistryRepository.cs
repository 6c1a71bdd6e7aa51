// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Http.Headers;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Authentication;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Distribution;

/// <summary>One repository of a registry, over the OCI distribution protocol.</summary>
internal sealed class RegistryRepository(
    RegistrySession session, RegistryClientOptions options, RegistryStatistics statistics) : ImageRepository
{
    public override string Name => session.Name;

    public override IDisposable FailFast() => session.FailFast();

    public override async Task<ManifestContent> GetManifestAsync(string? tagOrDigest, CancellationToken cancellationToken = default)
    {
        string wanted = tagOrDigest ?? ImageReference.DefaultTag;
        Digest? digest = Digest.TryParse(wanted, out Digest parsed) ? parsed : null;
        if (digest is null && !ImageReference.IsTag(wanted))
        {
            throw new ArgumentException($"'{Redaction.Clean(wanted, 160)}' is neither a tag nor a digest.", nameof(tagOrDigest));
        }

        return await session.ExecuteAsync(
            endpoint => digest is null ? endpoint.CanResolve : endpoint.CanPull,
            static (endpoint, call, token) => call.Repository.FetchManifestAsync(endpoint, call.Wanted, call.Digest, token),
            (Repository: this, Wanted: wanted, Digest: digest),
            cancellationToken).ConfigureAwait(false);
    }

    public override async Task<Stream> OpenBlobAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        var stream = new BlobStream(session, blob);
        await stream.ConnectAsync(null, cancellationToken).ConfigureAwait(false);
        return new VerifyingStream(stream, blob, Name);
    }

    public override ValueTask<BlockSource> OpenBlobSourceAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentOutOfRangeException.ThrowIfNegative(blob.Size, nameof(blob));
        return new ValueTask<BlockSource>(new RegistryBlobSource(session, blob));
    }

    public override async Task<bool> BlobExistsAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return await session.ExecuteAsync(
            static endpoint => endpoint.CanPull,
            static (endpoint, call, token) => call.Repository.HeadAsync(endpoint, call.Blob, call.Scope, token),
            (Repository: this, Blob: blob, Scope: new TokenScope(session.Repository, Push: false)),
            cancellationToken).ConfigureAwait(false);
    }

    public override async Task PushBlobAsync(
        Descriptor blob,
        Func<CancellationToken, ValueTask<Stream>> open,
        string? mountFrom = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentNullException.ThrowIfNull(open);
        if (mountFrom is not null && !ImageReference.IsRepository(mountFrom))
        {
            throw new ArgumentException($"'{Redaction.Clean(mountFrom, 200)}' is not a repository.", nameof(mountFrom));
        }

        var upload = new BlobUpload(session, options, statistics, blob, open, mountFrom == session.Repository ? null : mountFrom, progress);
        await session.ExecuteAsync(
            static endpoint => endpoint.CanPush,
            static async (endpoint, call, token) =>
            {
                if (await call.Repository.HeadAsync(endpoint, call.Blob, call.Scope, token).ConfigureAwait(false))
                {
                    call.Progress?.Report(call.Blob.Size);
                    return true;
                }

                return await call.Upload.SendAsync(endpoint, token).ConfigureAwait(false);
            },
            (Repository: this, Blob: blob, Scope: new TokenScope(session.Repository, Push: true), Upload: upload, Progress: progress),
            cancellationToken).ConfigureAwait(false);
    }

    public override async Task<Descriptor> PushManifestAsync(
        ReadOnlyMemory<byte> content, string mediaType, string? tag, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(mediaType);
        if (tag is not null && !ImageReference.IsTag(tag))
        {
            throw new ArgumentException($"'{Redaction.Clean(tag, 160)}' is not a tag.", nameof(tag));
        }

        var descriptor = new Descriptor { MediaType = mediaType, Digest = Digest.Sha256(content.Span), Size = content.Length };
        await session.ExecuteAsync(
            static endpoint => endpoint.CanPush,
            static (endpoint, call, token) => call.Repository.PutManifestAsync(endpoint, call.Content, call.Descriptor, call.Tag, token),
            (Repository: this, Content: content, Descriptor: descriptor, Tag: tag),
            cancellationToken).ConfigureAwait(false);
        return descriptor;
    }

    private async ValueTask<ManifestContent> FetchManifestAsync(
        RegistryEndpoint endpoint, string wanted, Digest? digest, CancellationToken cancellationToken)
    {
        var request = new RegistryRequest
        {
            Method = HttpMethod.Get,
            Path = $"{session.Repository}/manifests/{wanted}",
            AcceptManifests = true,
            Scope = new TokenScope(session.Repository, Push: false),
            Purpose = new Purpose("read", $"manifest {wanted}", Name),
        };
        using RegistryResponse response = await session.Sender.SendAsync(endpoint, request, cancellationToken).ConfigureAwait(false);
        if (response.Status != HttpStatusCode.OK)
        {
            throw await session.Sender.FailureAsync(response, cancellationToken).ConfigureAwait(false);
        }

        byte[] content = await response.ReadUpToAsync(OciJson.MaxManifestLength, cancellationToken).ConfigureAwait(false);
        if (content.Length > OciJson.MaxManifestLength)
        {
            throw new InvalidDataException($"{Name}: manifest {wanted} is longer than {OciJson.MaxManifestLength} bytes.");
        }

        if (response.ContentHeaders.ContentLength is long length && length != content.Length)
        {
            throw ResponseError.Unexpected(response, $"the body ends at byte {content.Length} of {length}", transient: true);
        }

        // Asked by tag, the registry's own word of the digest still catches bytes that were damaged on the way.
        digest ??= Digest.TryParse(response.Header("Docker-Content-Digest"), out Digest stated) ? stated : null;
        if (digest is Digest expected && !expected.Matches(content))
        {
            throw ResponseError.Unexpected(
                response, $"the content is not that of its digest: expected {expected}, found {Digest.Sha256(content)}", transient: true);
        }

        string mediaType = ManifestMediaType.Find(response.ContentHeaders.ContentType?.MediaType, content);
        var descriptor = new Descriptor { MediaType = mediaType, Digest = digest ?? Digest.Sha256(content), Size = content.Length };
        return new ManifestContent(descriptor, content, $"{Name}: manifest {wanted}");
    }

    private async ValueTask<bool> HeadAsync(
        RegistryEndpoint endpoint, Descriptor blob, TokenScope scope, CancellationToken cancellationToken)
    {
        var request = new RegistryRequest
        {
            Method = HttpMethod.Head,
            Path = $"{session.Repository}/blobs/{blob.Digest}",
            Scope = scope,
            Purpose = new Purpose("look for", $"blob {blob.Digest}", Name),
        };
        using RegistryResponse response = await session.Sender.SendAsync(endpoint, request, cancellationToken).ConfigureAwait(false);
        return response.Status switch
        {
            HttpStatusCode.OK => response.ContentHeaders.ContentLength is not long length || length == blob.Size,
            HttpStatusCode.NotFound => false,
            _ => throw await session.Sender.FailureAsync(response, cancellationToken).ConfigureAwait(false),
        };
    }

    private async ValueTask<bool> PutManifestAsync(
        RegistryEndpoint endpoint, ReadOnlyMemory<byte> content, Descriptor descriptor, string? tag, CancellationToken cancellationToken)
    {
        var request = new RegistryRequest
        {
            Method = HttpMethod.Put,
            Path = $"{session.Repository}/manifests/{tag ?? descriptor.Digest.ToString()}",
            Scope = new TokenScope(session.Repository, Push: true),
            Purpose = new Purpose("push", $"manifest {tag ?? descriptor.Digest.ToString()}", Name),
            Content = _ =>
            {
                var body = new ReadOnlyMemoryContent(content);
                body.Headers.ContentType = new MediaTypeHeaderValue(descriptor.MediaType);
                return body;
            },
        };
        using RegistryResponse response = await session.Sender.SendAsync(endpoint, request, cancellationToken).ConfigureAwait(false);
        if (response.Status is not (HttpStatusCode.Created or HttpStatusCode.OK or HttpStatusCode.Accepted))
        {
            throw await session.Sender.FailureAsync(response, cancellationToken).ConfigureAwait(false);
        }

        statistics.AddSent(content.Length);
        return response.Header("Docker-Content-Digest") is not string stored || stored == descriptor.Digest.ToString()
            ? true
            : throw ResponseError.Unexpected(response, $"it stored {Redaction.Clean(stored, 150)} where {descriptor.Digest} was sent");
    }
}
