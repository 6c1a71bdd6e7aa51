// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;
using OverlayBd.Cli.Containerd.Api.ContentV1;
using OverlayBd.Format;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>A blob of containerd's store, read in ranges.</summary>
internal sealed class ContentBlockSource(ContainerdContent content, Descriptor blob) : BlockSource
{
    public override long Length => blob.Size;

    protected override async ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ReadContentRequest request = new() { Digest = blob.Digest.ToString(), Offset = offset, Size = buffer.Length };
        try
        {
            using AsyncServerStreamingCall<ReadContentResponse> call =
                content.Client.Read(request, content.Connection.Options(cancellationToken));
            Memory<byte> rest = buffer;
            while (!rest.IsEmpty && await call.ResponseStream.MoveNext(cancellationToken))
            {
                ReadOnlyMemory<byte> data = call.ResponseStream.Current.Data.Memory;
                data = data[..Math.Min(data.Length, rest.Length)];
                data.CopyTo(rest);
                rest = rest[data.Length..];
            }

            if (!rest.IsEmpty)
            {
                throw new InvalidDataException(
                    $"containerd's blob {blob.Digest} ends {rest.Length} bytes before byte {offset + buffer.Length}.");
            }
        }
        catch (RpcException e)
        {
            throw content.Connection.Failure(e, $"read the blob {blob.Digest}", cancellationToken);
        }
    }
}
