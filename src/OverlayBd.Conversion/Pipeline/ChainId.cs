// SPDX-License-Identifier: Apache-2.0

using System.Text;
using OverlayBd.Format.Oci;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Chain ids as the OCI image specification defines them, and the layer uuids made of them.</summary>
internal static class ChainId
{
    /// <summary>The chain id of every layer: the digest of the chain below and the layer's own diff id.</summary>
    public static Digest[] Compute(IReadOnlyList<Digest> diffIds)
    {
        var chain = new Digest[diffIds.Count];
        for (int i = 0; i < chain.Length; i++)
        {
            chain[i] = i == 0 ? diffIds[0] : Digest.Sha256(Encoding.ASCII.GetBytes($"{chain[i - 1]} {diffIds[i]}"));
        }

        return chain;
    }

    /// <summary>The uuid of the block layer: the chain id's first 32 hex digits, as upstream's convertor forms it.</summary>
    public static string ToLayerUuid(Digest chainId)
    {
        string hex = chainId.Hex;
        return $"{hex[..8]}-{hex[8..12]}-{hex[12..16]}-{hex[16..20]}-{hex[20..32]}";
    }
}
