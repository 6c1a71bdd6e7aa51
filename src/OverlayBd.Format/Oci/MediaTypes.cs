// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Oci;

/// <summary>The media types of images, in the words of OCI and of docker.</summary>
public static class MediaTypes
{
    /// <summary>An OCI image manifest.</summary>
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>An OCI image index.</summary>
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    /// <summary>An OCI image document.</summary>
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";

    /// <summary>An OCI layer, not compressed.</summary>
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>An OCI layer, compressed with gzip.</summary>
    public const string OciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";

    /// <summary>An OCI layer, compressed with zstd.</summary>
    public const string OciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";

    /// <summary>The empty JSON document <c>{}</c> of an artifact that has none.</summary>
    public const string OciEmpty = "application/vnd.oci.empty.v1+json";

    /// <summary>A docker image manifest, version 2 schema 2.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>A docker manifest list.</summary>
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>A docker image document.</summary>
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>A docker layer, not compressed, in the words of converted images.</summary>
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";

    /// <summary>A docker layer, compressed with gzip.</summary>
    public const string DockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// <summary>A docker layer, compressed with zstd.</summary>
    public const string DockerLayerZstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";

    /// <summary>The artifact type of a converted image that refers to its original.</summary>
    public const string OverlayBdNativeArtifact = "application/vnd.containerd.overlaybd.native.v1+json";

    /// <summary>The artifact type of a turboOCI image that refers to its original.</summary>
    public const string OverlayBdTurboArtifact = "application/vnd.containerd.overlaybd.turbo.v1+json";

    /// <summary>Tells whether a media type is that of a manifest of one image.</summary>
    /// <param name="mediaType">The media type, or <see langword="null"/>.</param>
    /// <returns>Whether it is OCI's or docker's.</returns>
    public static bool IsManifest(string? mediaType) => mediaType is OciManifest or DockerManifest;

    /// <summary>Tells whether a media type is that of a list of manifests.</summary>
    /// <param name="mediaType">The media type, or <see langword="null"/>.</param>
    /// <returns>Whether it is OCI's or docker's.</returns>
    public static bool IsIndex(string? mediaType) => mediaType is OciIndex or DockerManifestList;

    /// <summary>Tells whether a media type is docker's and not OCI's.</summary>
    /// <param name="mediaType">The media type, or <see langword="null"/>.</param>
    /// <returns>Whether it belongs to docker.</returns>
    public static bool IsDocker(string? mediaType) =>
        mediaType is not null && mediaType.StartsWith("application/vnd.docker.", StringComparison.Ordinal);
}
