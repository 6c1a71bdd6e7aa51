// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using OverlayBd.Cli.Terminal;
using OverlayBd.Format.Oci;

namespace OverlayBd.Cli.Inspection;

/// <summary>Reports for people.</summary>
internal static class ReportText
{
    private const int ShortDigest = 19;

    public static void Write(ImageReport image, TextWriter output)
    {
        bool isConverted = image.Layers.Any(layer => layer.Lsmt is not null);
        output.WriteLine($"{image.Name}");
        output.WriteLine($"  manifest  {image.Digest} ({image.MediaType})");
        output.WriteLine($"  platform  {image.Platform}{(image.Created is { } created ? $", made {created}" : "")}");
        output.WriteLine($"  stored    {ByteText.Format(image.StoredSize)} in {image.Layers.Count} layers, {(isConverted ? "overlaybd" : "plain OCI")}");
        if (image.Layers.FirstOrDefault(layer => layer.Lsmt is not null)?.Lsmt is { } bottom)
        {
            output.WriteLine($"  disk      {ByteText.Format(bottom.VirtualSize)}, {FileSystemOf(image)}");
        }

        output.WriteLine();
        TextTable table = new("LAYER", "STORED", "FORMAT", "COMPRESSION", "DATA", "MAPPINGS", "UUID", "ORIGINAL");
        int firstOriginal = image.Layers.Count - image.DiffIds.Count;
        for (int i = 0; i < image.Layers.Count; i++)
        {
            LayerReport layer = image.Layers[i];
            table.Add(
                Shorten(layer.Name),
                ByteText.Format(layer.StoredSize),
                layer.Format,
                layer.ZFile is { } zfile ? $"{zfile.Algorithm}/{zfile.BlockSize}" : "-",
                layer.Lsmt is { } lsmt ? ByteText.Format(lsmt.DataBytes) : "-",
                layer.Lsmt?.MappingCount.ToString(CultureInfo.InvariantCulture) ?? "-",
                layer.Lsmt?.Uuid is { Length: > 0 } uuid ? uuid : "-",
                i >= firstOriginal ? Shorten(image.DiffIds[i - firstOriginal]) : "-");
        }

        table.Write(output);
    }

    public static void Write(LayerReport layer, TextWriter output)
    {
        output.WriteLine(layer.Name);
        output.WriteLine($"  stored    {layer.StoredSize} bytes, {layer.Format}");
        if (layer.ZFile is { } zfile)
        {
            output.WriteLine(
                $"  zfile     {zfile.Algorithm}, {zfile.BlockCount} blocks of {zfile.BlockSize} bytes, {zfile.Length} bytes unpacked, "
                + $"{(zfile.Checksums ? "with" : "without")} checksums");
        }

        if (layer.Lsmt is { } lsmt)
        {
            output.WriteLine($"  lsmt      {lsmt.VirtualSize} bytes of disk, {lsmt.DataBytes} of them here, {lsmt.MappingCount} mappings");
            output.WriteLine($"  uuid      {Or(lsmt.Uuid)}, parent {Or(lsmt.ParentUuid)}");
            if (lsmt.UserTag.Length > 0)
            {
                output.WriteLine($"  tag       {lsmt.UserTag}");
            }
        }
    }

    private static string FileSystemOf(ImageReport image) => image.Layers
        .Select(layer => layer.Annotations?.GetValueOrDefault(OverlayBdAnnotations.BlobFileSystemType))
        .FirstOrDefault(type => type is { Length: > 0 }) ?? "file system not named";

    private static string Shorten(string digest) => digest.Length > ShortDigest ? digest[..ShortDigest] : digest;

    private static string Or(string uuid) => uuid.Length > 0 ? uuid : "none";
}
