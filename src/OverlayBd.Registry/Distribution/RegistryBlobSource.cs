// SPDX-License-Identifier: Apache-2.0

using System.Net;
using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Authentication;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Distribution;

/// <summary>A blob of a registry, read by ranged requests straight into the caller's memory. Nothing is cached but where redirects
/// led.</summary>
internal sealed class RegistryBlobSource(RegistrySession session, Descriptor blob) : BlockSource
{
    private readonly RegistryRequestTarget _target = new();
    private readonly string _path = $"{session.Repository}/blobs/{blob.Digest}";
    private readonly Purpose _purpose = new("read", $"blob {blob.Digest}", session.Name);

    public override long Length => blob.Size;

    public override string ToString() => $"{session.Name}@{blob.Digest}";

    protected override async ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        // Survives a try that breaks off: the next one asks for the rest only.
        var read = new RangeRead(offset, buffer);
        await session.ExecuteAsync(
            static endpoint => endpoint.CanPull,
            static (endpoint, call, token) => call.Source.ReadFromAsync(endpoint, call.Read, token),
            (Source: this, Read: read),
            cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<bool> ReadFromAsync(RegistryEndpoint endpoint, RangeRead read, CancellationToken cancellationToken)
    {
        Uri? known = _target.Get(endpoint);
        bool whole = read.First == 0 && read.Last == blob.Size - 1;
        var request = new RegistryRequest
        {
            Method = HttpMethod.Get,
            Path = _path,
            Target = known,
            Range = (read.First, read.Last),
            Scope = new TokenScope(session.Repository, Push: false),
            Purpose = _purpose,
        };
        try
        {
            using RegistryResponse response = await session.Sender.SendAsync(endpoint, request, cancellationToken).ConfigureAwait(false);
            if (response.Status == HttpStatusCode.PartialContent)
            {
                ContentRange.Check(response, read.First, read.Last, blob.Size);
            }
            else if (response.Status != HttpStatusCode.OK)
            {
                throw await session.Sender.FailureAsync(response, cancellationToken).ConfigureAwait(false);
            }
            else if (!whole)
            {
                throw ResponseError.Unexpected(
                    response,
                    $"that is the whole blob where bytes {read.First}-{read.Last} were asked for; the server, or a proxy before it, "
                    + "ignores ranges");
            }

            await read.FillAsync(response, cancellationToken).ConfigureAwait(false);
            _target.Set(endpoint, endpoint.UrlOf(_path), response.Url);
            return true;
        }
        catch (RegistryException error) when (known is not null && !error.IsTransient)
        {
            // Addresses that registries redirect to expire. Ask the registry for another one, as the next try and at once.
            _target.Forget(endpoint);
            throw new RegistryException(error.Error, error.Message, error.StatusCode, error.InnerException)
            {
                IsTransient = true,
                RetryAfter = TimeSpan.Zero,
            };
        }
        catch (RegistryException)
        {
            _target.Forget(endpoint);
            throw;
        }
    }
}
