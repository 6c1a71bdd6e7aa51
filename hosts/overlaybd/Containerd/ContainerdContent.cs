// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;
using OverlayBd.Cli.Containerd.Api.ContentV1;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>containerd's content store: blobs by their digest, in one namespace.</summary>
internal sealed class ContainerdContent(ContainerdConnection connection)
{
    private readonly Content.ContentClient _client = new(connection.Channel);

    public ContainerdConnection Connection => connection;

    public Content.ContentClient Client => _client;

    /// <summary>What the store knows of a blob; null when it has none.</summary>
    public async Task<Info?> FindAsync(Digest digest, CancellationToken cancellationToken)
    {
        try
        {
            InfoResponse response = await connection.CallAsync(
                $"look up the blob {digest}",
                options => _client.InfoAsync(new() { Digest = digest.ToString() }, options),
                cancellationToken);
            return response.Info;
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Opens a blob of the store to read all of it; its size and digest are checked on the way.</summary>
    /// <exception cref="ContainerdException">The store has no such blob.</exception>
    /// <exception cref="InvalidDataException">The blob has another size.</exception>
    public async Task<Stream> OpenAsync(Descriptor blob, CancellationToken cancellationToken)
    {
        Info info = await FindAsync(blob.Digest, cancellationToken)
            ?? throw new ContainerdException(
                $"containerd's namespace {connection.Namespace} does not hold the blob {blob.Digest} ({blob.MediaType}).",
                StatusCode.NotFound,
                "ctr content fetch IMAGE, which brings all of an image.");
        return info.Size == blob.Size
            ? new ContentStream(this, blob)
            : throw new InvalidDataException(
                $"containerd's blob {blob.Digest} has {info.Size} bytes where its descriptor says {blob.Size}.");
    }

    /// <summary>Adds labels to a blob that is there, and leaves its others.</summary>
    public async Task LabelAsync(Digest digest, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        if (labels.Count == 0)
        {
            return;
        }

        UpdateRequest request = new() { Info = new() { Digest = digest.ToString(), Labels = { Copy(labels) } }, UpdateMask = new() };
        request.UpdateMask.Paths.AddRange(labels.Keys.Select(key => "labels." + key));
        await connection.CallAsync($"label the blob {digest}", options => _client.UpdateAsync(request, options), cancellationToken);
    }

    /// <summary>Stores a small blob, with labels, unless it is there; then it gets the labels.</summary>
    public Task WriteAsync(
        Descriptor blob, ReadOnlyMemory<byte> content, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        WriteAsync(blob, _ => new ValueTask<Stream>(new MemoryStream(content.ToArray(), writable: false)), labels, null, cancellationToken);

    /// <summary>Stores a blob, with labels, unless it is there; then it gets the labels.</summary>
    /// <param name="blob">The blob, by whose digest and size containerd checks it.</param>
    /// <param name="open">Opens the content at its start, when it is needed; the stream is disposed here.</param>
    /// <param name="labels">The labels.</param>
    /// <param name="progress">Told the bytes stored so far, or null.</param>
    /// <param name="cancellationToken">Abandons the call; nothing incomplete stays.</param>
    public async Task WriteAsync(
        Descriptor blob,
        Func<CancellationToken, ValueTask<Stream>> open,
        IReadOnlyDictionary<string, string> labels,
        IProgress<long>? progress,
        CancellationToken cancellationToken)
    {
        ContentWriter writer = new(this, blob);
        if (!await writer.WriteAsync(open, labels, progress, cancellationToken))
        {
            await LabelAsync(blob.Digest, labels, cancellationToken);
        }

        progress?.Report(blob.Size);
    }

    internal static Google.Protobuf.Collections.MapField<string, string> Copy(IReadOnlyDictionary<string, string> labels)
    {
        Google.Protobuf.Collections.MapField<string, string> map = [];
        foreach ((string key, string value) in labels)
        {
            map[key] = value;
        }

        return map;
    }
}
