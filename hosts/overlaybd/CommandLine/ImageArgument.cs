// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;

namespace OverlayBd.Cli.CommandLine;

/// <summary>What a verb was given to read: an image, a device configuration, or one layer file.</summary>
internal sealed record ImageArgument
{
    private static readonly string[] s_transports = ["docker://", "oci:", "oci-archive:"];

    private ImageArgument(string text, ImageArgumentKind kind)
    {
        Text = text;
        Kind = kind;
    }

    /// <summary>The argument as a server understands it too: paths are absolute.</summary>
    public string Text { get; }

    public ImageArgumentKind Kind { get; }

    /// <summary>A name with a transport is an image; else a file that exists is that file; else it is a reference to a registry.</summary>
    public static ImageArgument Parse(string text)
    {
        string? transport = Array.Find(s_transports, prefix => text.StartsWith(prefix, StringComparison.Ordinal));
        if (transport is "oci:" or "oci-archive:")
        {
            return new(transport + Path.GetFullPath(text[transport.Length..]), ImageArgumentKind.Image);
        }

        if (transport is not null || !File.Exists(text))
        {
            return new(transport is null ? "docker://" + text : text, ImageArgumentKind.Image);
        }

        bool isJson = Path.GetExtension(text).Equals(".json", StringComparison.OrdinalIgnoreCase);
        return new(Path.GetFullPath(text), isJson ? ImageArgumentKind.DeviceConfig : ImageArgumentKind.LayerFile);
    }

    public AttachRequest ToRequest(RegistrySettings registry, UpperFiles? upper = null) => new()
    {
        Image = Kind == ImageArgumentKind.Image ? Text : null,
        Config = Kind == ImageArgumentKind.DeviceConfig ? Text : null,
        Layers = Kind == ImageArgumentKind.LayerFile ? [Text] : null,
        Registry = registry,
        Upper = upper,
    };

    public override string ToString() => Text;
}
