// SPDX-License-Identifier: Apache-2.0

using System.CommandLine;
using OverlayBd.Cli.CommandLine;
using OverlayBd.Cli.Terminal;
using OverlayBd.Format.Config;
using OverlayBd.Format.Oci;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;

namespace OverlayBd.Cli.Export;

/// <summary>An image as a disk in this process, without a device. Owns what it reads through, but not the cache.</summary>
internal sealed class OpenedDisk : IAsyncDisposable
{
    private readonly RegistryClient _client;
    private readonly OpenedRepository? _repository;

    private OpenedDisk(OverlayBdImage image, RegistryClient client, OpenedRepository? repository)
    {
        Image = image;
        _client = client;
        _repository = repository;
    }

    public OverlayBdImage Image { get; }

    public static async Task<OpenedDisk> OpenAsync(
        ParseResult parsed, ImageArgument argument, CancellationToken cancellationToken, BlockCache? cache = null)
    {
        if (argument.Kind == ImageArgumentKind.Image)
        {
            OpenedRepository opened = OpenedRepository.Open(parsed, argument.Text);
            try
            {
                (_, Manifest manifest) = await opened.FindManifestAsync(platform: null, cancellationToken);
                OverlayBdImageOptions options = new() { Client = opened.Client, Cache = cache, LoggerFactory = opened.Loggers };
                return new(await OverlayBdImage.OpenAsync(opened.Repository, manifest, options, cancellationToken), opened.Client, opened);
            }
            catch
            {
                await opened.DisposeAsync();
                throw;
            }
        }

        TerminalLogger loggers = TerminalLogger.For(parsed.GetValue(CommonOptions.Verbose));
        RegistryClient client = RegistryOptions.CreateClient(parsed, loggers);
        try
        {
            DeviceConfig config = argument.Kind == ImageArgumentKind.DeviceConfig
                ? await DeviceConfig.LoadAsync(argument.Text, cancellationToken)
                : new() { Lowers = [new LowerConfig { File = argument.Text }] };
            OverlayBdImageOptions options = new() { Client = client, Cache = cache, LoggerFactory = loggers };
            return new(await OverlayBdImage.OpenAsync(config, options, cancellationToken), client, null);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Image.DisposeAsync();
        if (_repository is not null)
        {
            await _repository.DisposeAsync();
        }
        else
        {
            _client.Dispose();
        }
    }
}
