// SPDX-License-Identifier: Apache-2.0

using Grpc.Core;
using OverlayBd.Cli.Containerd.Api.ImagesV1;
using OverlayBd.Cli.Containerd.Api.Types;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>containerd's image records: names for manifests of its content store, in one namespace.</summary>
internal sealed class ContainerdImages(ContainerdConnection connection)
{
    private readonly Api.ImagesV1.Images.ImagesClient _client = new(connection.Channel);

    /// <returns>The record; null when there is none of this name.</returns>
    public async Task<Image?> FindAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            GetImageResponse response = await connection.CallAsync(
                $"look up the image {name}", options => _client.GetAsync(new() { Name = name }, options), cancellationToken);
            return response.Image;
        }
        catch (ContainerdException e) when (e.Status == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <exception cref="ContainerdException">There is no such image in the namespace.</exception>
    public async Task<Image> GetAsync(string name, CancellationToken cancellationToken) =>
        await FindAsync(name, cancellationToken) ?? throw new ContainerdException(
            $"containerd has no image {name} in the namespace {connection.Namespace}.",
            StatusCode.NotFound,
            $"ctr --namespace {connection.Namespace} images ls; names are full, such as docker.io/library/redis:7.");

    /// <summary>Makes a record, or lets the one of that name point elsewhere; labels are added to those it has.</summary>
    public async Task StoreAsync(
        string name, Descriptor target, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        Image image = new()
        {
            Name = name,
            Target = new() { MediaType = target.MediaType, Digest = target.Digest.ToString(), Size = target.Size },
            Labels = { ContainerdContent.Copy(labels) },
        };
        try
        {
            await connection.CallAsync(
                $"make the image record {name}", options => _client.CreateAsync(new() { Image = image }, options), cancellationToken);
        }
        catch (ContainerdException e) when (e.Status == StatusCode.AlreadyExists)
        {
            UpdateImageRequest update = new() { Image = image, UpdateMask = new() };
            update.UpdateMask.Paths.Add("target");
            update.UpdateMask.Paths.AddRange(labels.Keys.Select(key => "labels." + key));
            await connection.CallAsync(
                $"change the image record {name}", options => _client.UpdateAsync(update, options), cancellationToken);
        }
    }

    /// <summary>What a record names.</summary>
    /// <exception cref="InvalidDataException">The record's digest or size is none.</exception>
    public static Descriptor Target(Image image)
    {
        ContentDescriptor? target = image.Target;
        return target is { Size: >= 0 } && Digest.TryParse(target.Digest, out Digest digest)
            ? new() { MediaType = target.MediaType, Digest = digest, Size = target.Size }
            : throw new InvalidDataException(
                $"containerd's image {image.Name} names '{target?.Digest}' of {target?.Size} bytes, which is no content.");
    }
}
