// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.Terminal;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registry;

namespace OverlayBd.Cli.CommandLine;

/// <summary>Where an image is, opened in this process. Owns the client too.</summary>
internal sealed class OpenedRepository : IAsyncDisposable
{
    private OpenedRepository(ImageLocation location, RegistryClient client, ILoggerFactory loggers)
    {
        Client = client;
        Loggers = loggers;
        Location = location;
        Repository = location.Open(client);
    }

    public ImageLocation Location { get; }

    public RegistryClient Client { get; }

    public ImageRepository Repository { get; }

    public ILoggerFactory Loggers { get; }

    /// <exception cref="UsageException">The text names no image.</exception>
    public static OpenedRepository Open(ParseResult parsed, string image)
    {
        ImageLocation location;
        try
        {
            location = ImageLocation.Parse(image);
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }

        ILoggerFactory loggers = TerminalLogger.For(parsed.GetValue(CommonOptions.Verbose));
        return new(location, RegistryOptions.CreateClient(parsed, loggers), loggers);
    }

    /// <summary>Fetches the manifest that the name stands for: of an index, the entry for a platform.</summary>
    public async Task<(Descriptor Descriptor, Manifest Manifest)> FindManifestAsync(Platform? platform, CancellationToken cancellationToken)
    {
        ManifestContent content = await PlatformManifest.ResolveAsync(Repository, Location.TagOrDigest, platform, cancellationToken);
        Manifest manifest = content.AsManifest()
            ?? throw new InvalidDataException($"{Location} is {content.Descriptor.MediaType}, no image.");
        return (content.Descriptor, manifest);
    }

    public async ValueTask DisposeAsync()
    {
        await Repository.DisposeAsync();
        Client.Dispose();
        Loggers.Dispose();
    }
}
