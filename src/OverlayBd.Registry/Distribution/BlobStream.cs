// SPDX-License-Identifier: Apache-2.0

using System.Net;
using OverlayBd.Format.Oci;
using OverlayBd.Registry.Authentication;
using OverlayBd.Registry.Endpoints;
using OverlayBd.Registry.Http;

namespace OverlayBd.Registry.Distribution;

/// <summary>A blob of a registry from its start to its end. A connection that breaks is resumed where it broke, within one budget for
/// all.</summary>
internal sealed class BlobStream(RegistrySession session, Descriptor blob) : ReadOnlyStream
{
    private readonly AttemptBudget _budget = session.Retries.NewBudget();
    private readonly Purpose _purpose = new("read", $"blob {blob.Digest}", session.Name);
    private RegistryResponse? _response;
    private long _position;

    /// <summary>Sends the request, or the one for the rest after <paramref name="failure"/>.</summary>
    public async ValueTask ConnectAsync(RegistryException? failure, CancellationToken cancellationToken)
    {
        _response?.Dispose();
        _response = null;
        _response = await session.ExecuteAsync(
            _budget,
            static endpoint => endpoint.CanPull,
            static (endpoint, stream, token) => stream.RequestAsync(endpoint, token),
            this,
            failure,
            cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                int wanted = (int)Math.Min(buffer.Length, blob.Size - _position);
                if (wanted == 0 || _response is null)
                {
                    return 0;
                }

                int count = await _response.ReadAsync(buffer[..wanted], cancellationToken).ConfigureAwait(false);
                if (count > 0)
                {
                    _position += count;
                    return count;
                }

                throw ResponseError.Unexpected(_response, $"the body ends at byte {_position} of {blob.Size}", transient: true);
            }
            catch (RegistryException failure) when (failure.IsTransient)
            {
                await ConnectAsync(failure, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _response?.Dispose();
            _response = null;
        }

        base.Dispose(disposing);
    }

    private async ValueTask<RegistryResponse> RequestAsync(RegistryEndpoint endpoint, CancellationToken cancellationToken)
    {
        var request = new RegistryRequest
        {
            Method = HttpMethod.Get,
            Path = $"{session.Repository}/blobs/{blob.Digest}",
            Range = _position == 0 ? null : (_position, null),
            Scope = new TokenScope(session.Repository, Push: false),
            Purpose = _purpose,
        };
        RegistryResponse response = await session.Sender.SendAsync(endpoint, request, cancellationToken).ConfigureAwait(false);
        bool good = false;
        try
        {
            if (response.Status == HttpStatusCode.PartialContent && _position > 0)
            {
                ContentRange.Check(response, _position, blob.Size - 1, blob.Size);
            }
            else if (response.Status != HttpStatusCode.OK)
            {
                throw await session.Sender.FailureAsync(response, cancellationToken).ConfigureAwait(false);
            }
            else if (_position > 0)
            {
                throw ResponseError.Unexpected(
                    response,
                    $"that is the whole blob where the rest from byte {_position} was asked for; "
                    + "the server, or a proxy before it, ignores ranges");
            }
            else if (response.ContentHeaders.ContentLength is long length && length != blob.Size)
            {
                throw ResponseError.Unexpected(
                    response, $"the blob has {length} bytes there where its descriptor says {blob.Size}", transient: true);
            }

            good = true;
            return response;
        }
        finally
        {
            if (!good)
            {
                response.Dispose();
            }
        }
    }
}
