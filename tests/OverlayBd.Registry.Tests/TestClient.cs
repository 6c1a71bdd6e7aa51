// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Testing.Registries;

namespace OverlayBd.Registry.Tests;

/// <summary>Clients for tests: retries are quick, and time limits long enough for a busy machine.</summary>
internal static class TestClient
{
    public static RegistryClient Create(Action<RegistryClientOptions>? configure = null, RecordingLoggerFactory? logs = null)
    {
        var options = new RegistryClientOptions
        {
            RetryDelay = TimeSpan.FromMilliseconds(1),
            MaxRetryDelay = TimeSpan.FromMilliseconds(5),
            HeaderTimeout = TimeSpan.FromMinutes(2),
            StallTimeout = TimeSpan.FromMinutes(2),
        };
        configure?.Invoke(options);
        return new RegistryClient(options, logs);
    }

    public static ImageRepository Repository(this RegistryClient client, FaultyRegistry registry, string name = "team/app") =>
        client.GetRepository(ImageReference.Parse($"{registry.Host}/{name}"));

    public static ImageRepository Repository(this RegistryClient client, DockerRegistry registry, string name = "team/app") =>
        client.GetRepository(ImageReference.Parse($"{registry.Host}/{name}"));

    public static byte[] RandomBytes(int length, int seed = 1)
    {
        byte[] content = new byte[length];
        new Random(seed).NextBytes(content);
        return content;
    }

    public static async Task<byte[]> ReadToEndAsync(Stream stream)
    {
        await using (stream)
        {
            using var copy = new MemoryStream();
            await stream.CopyToAsync(copy, TestContext.Current.CancellationToken);
            return copy.ToArray();
        }
    }

    public static Func<CancellationToken, ValueTask<Stream>> Opening(byte[] content) => _ => new ValueTask<Stream>(new MemoryStream(content));
}
