// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Conversion;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>The image of <c>./build.sh demo</c>, a Debian with redis, converted in a real registry.</summary>
public sealed class DemoImage : IAsyncLifetime
{
    internal DockerRegistry Registry { get; private set; } = null!;

    internal Manifest Manifest { get; private set; } = null!;

    internal string Reference => $"{Registry.Host}/demo:obd";

    /// <summary>What a pull that is not lazy would fetch.</summary>
    internal long Size => Manifest.Layers.Sum(layer => layer.Size);

    // build.sh makes it before the tests.
    private static string Layout => Path.Combine(Programs.Repository, "artifacts", "demo-image");

    public async ValueTask InitializeAsync()
    {
        Assert.True(Directory.Exists(Layout), $"{Layout} is missing; demo/demo.sh --image-only {Layout} makes it.");
        Registry = await DockerRegistry.StartAsync();
        using RegistryClient client = new(new RegistryClientOptions());
        await using ImageRepository source = ImageLocation.Parse($"oci:{Layout}:demo").Open(client);
        await using ImageRepository target = ImageLocation.Parse($"docker://{Reference}").Open(client);
        await ImageConverter.ConvertAsync(source, "demo", target, "obd", new ImageConverterOptions());
        Manifest = (await target.GetManifestAsync("obd")).AsManifest()!;
    }

    public async ValueTask DisposeAsync()
    {
        if (Registry is not null)
        {
            await Registry.DisposeAsync();
        }
    }
}
