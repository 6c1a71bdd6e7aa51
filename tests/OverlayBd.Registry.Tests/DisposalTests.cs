// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests;

/// <summary>Whoever disposes something twice has done nothing wrong: an owner and a <c>using</c> may both end it.</summary>
public sealed class DisposalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Client_ItsRepositoryAndItsStreams_CanBeDisposedAgain()
    {
        FaultyRegistry registry = await FaultyRegistry.StartAsync(
            new FaultyRegistryOptions { Authentication = FaultyRegistryAuthentication.Bearer }, Token);
        Descriptor blob = registry.AddBlob("team/app", TestClient.RandomBytes(10_000));
        RegistryClient client = TestClient.Create();
        ImageRepository repository = client.Repository(registry);
        BlockSource source = await repository.OpenBlobSourceAsync(blob, Token);
        await source.ReadAsync(0, new byte[10], Token);
        Stream stream = await repository.OpenBlobAsync(blob, Token);
        for (int i = 0; i < 2; i++)
        {
            await stream.DisposeAsync();
            await source.DisposeAsync();
            await repository.DisposeAsync();
            client.Dispose();
            await registry.DisposeAsync();
        }
    }

    [Fact]
    public async Task Registry_OfTheTests_CanBeDisposedAgain()
    {
        DockerRegistry registry = await DockerRegistry.StartAsync(cancellationToken: Token);
        await registry.DisposeAsync();
        await registry.DisposeAsync();
    }
}
