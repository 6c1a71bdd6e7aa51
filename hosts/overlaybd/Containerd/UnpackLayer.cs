// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Containerd;

/// <summary>A layer to be made a snapshot of.</summary>
/// <param name="Position">The position, from 0 at the bottom.</param>
/// <param name="Descriptor">The layer.</param>
/// <param name="DiffId">The digest of its tar.</param>
/// <param name="ChainId">What names the snapshot: the layers up to this one.</param>
/// <param name="ParentChainId">The snapshot below; null at the bottom.</param>
internal sealed record UnpackLayer(int Position, Descriptor Descriptor, Digest DiffId, Digest ChainId, Digest? ParentChainId)
{
    /// <summary>Whether the layer is made for an overlaybd snapshotter.</summary>
    public bool IsOverlayBd => Descriptor.Annotations?.ContainsKey(OverlayBdAnnotations.BlobDigest) == true;

    /// <summary>Whether the layer is one that is not to be fetched: a block layer with its data.</summary>
    public bool IsRemote => IsOverlayBd
        && Descriptor.Annotations!.GetValueOrDefault(OverlayBdAnnotations.Version) != OverlayBdAnnotations.TurboOciVersion
        && !Descriptor.Annotations!.ContainsKey(OverlayBdAnnotations.AccelerationLayer);

    /// <summary>The layers of an image, bottom first.</summary>
    /// <exception cref="InvalidDataException">Manifest and config do not name the same number of layers, or none.</exception>
    public static IReadOnlyList<UnpackLayer> Of(Manifest manifest, ImageDocument config, string image)
    {
        IReadOnlyList<Digest> diffIds = config.RootFs.DiffIds;
        if (manifest.Layers.Count != diffIds.Count || diffIds.Count == 0)
        {
            throw new InvalidDataException($"{image} has {manifest.Layers.Count} layers, but its config names {diffIds.Count} diff ids.");
        }

        List<UnpackLayer> layers = [];
        Digest? parent = null;
        for (int i = 0; i < diffIds.Count; i++)
        {
            // The chain id of the OCI image specification (config.md, "Layer ChainID").
            Digest chain = parent is { } below ? Digest.Sha256(Encoding.ASCII.GetBytes($"{below} {diffIds[i]}")) : diffIds[i];
            layers.Add(new(i, manifest.Layers[i], diffIds[i], chain, parent));
            parent = chain;
        }

        return layers;
    }
}
