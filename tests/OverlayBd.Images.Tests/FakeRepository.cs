// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;
using OverlayBd.Format.Oci;
using OverlayBd.Registry;

namespace OverlayBd.Images.Tests;

/// <summary>A repository in memory that damages, refuses and counts as the test says.</summary>
internal sealed class FakeRepository : ImageRepository
{
    private readonly Dictionary<string, (byte[] Content, string MediaType)> _manifests = [];
    private readonly Dictionary<Digest, byte[]> _blobs = [];
    private int _openSources;
    private int _reads;

    public override string Name => "fake.example/images/test";

    /// <summary>How many blob sources are open now.</summary>
    public int OpenSources => Volatile.Read(ref _openSources);

    public int Reads => Volatile.Read(ref _reads);

    /// <summary>Called before each ranged read; throws to fail it.</summary>
    public Func<Digest, long, CancellationToken, Task> BeforeRead { get; set; } = (_, _, _) => Task.CompletedTask;

    /// <summary>Called before a blob is opened; throws to refuse it.</summary>
    public Func<Digest, CancellationToken, Task> BeforeOpen { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Changes the bytes of a ranged read.</summary>
    public Action<Digest, long, Memory<byte>>? Spoil { get; set; }

    public Descriptor Add(byte[] layer)
    {
        Descriptor descriptor = GoldenStack.Descriptor(layer);
        _blobs[descriptor.Digest] = layer;
        return descriptor;
    }

    public Digest AddManifest(byte[] content, string mediaType, string? tag = null)
    {
        var digest = Digest.Sha256(content);
        _manifests[digest.ToString()] = (content, mediaType);
        if (tag is not null)
        {
            _manifests[tag] = (content, mediaType);
        }

        return digest;
    }

    public override Task<ManifestContent> GetManifestAsync(string? tagOrDigest, CancellationToken cancellationToken = default)
    {
        (byte[] content, string mediaType) = _manifests[tagOrDigest ?? "latest"];
        var descriptor = new Descriptor { MediaType = mediaType, Digest = Digest.Sha256(content), Size = content.Length };
        return Task.FromResult(new ManifestContent(descriptor, content, Name));
    }

    public override async ValueTask<BlockSource> OpenBlobSourceAsync(Descriptor blob, CancellationToken cancellationToken = default)
    {
        await BeforeOpen(blob.Digest, cancellationToken);
        if (!_blobs.TryGetValue(blob.Digest, out byte[]? content))
        {
            throw new IOException($"{Name} has no blob {blob.Digest} (404)");
        }

        Interlocked.Increment(ref _openSources);
        return new Source(this, blob.Digest, content);
    }

    public override Task<Stream> OpenBlobAsync(Descriptor blob, CancellationToken cancellationToken = default) =>
        _blobs.TryGetValue(blob.Digest, out byte[]? content)
            ? Task.FromResult<Stream>(new MemoryStream(content, writable: false))
            : throw new IOException($"{Name} has no blob {blob.Digest} (404)");

    public override Task<bool> BlobExistsAsync(Descriptor blob, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task PushBlobAsync(
        Descriptor blob,
        Func<CancellationToken, ValueTask<Stream>> open,
        string? mountFrom = null,
        IProgress<long>? progress = null,
        CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override Task<Descriptor> PushManifestAsync(
        ReadOnlyMemory<byte> content, string mediaType, string? tag, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    private sealed class Source(FakeRepository repository, Digest digest, byte[] content) : BlockSource
    {
        public override long Length => content.Length;

        protected override async ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref repository._reads);
            await Task.Yield();
            await repository.BeforeRead(digest, offset, cancellationToken);
            content.AsMemory((int)offset, buffer.Length).CopyTo(buffer);
            repository.Spoil?.Invoke(digest, offset, buffer);
        }

        protected override ValueTask ReleaseAsync()
        {
            Interlocked.Decrement(ref repository._openSources);
            return ValueTask.CompletedTask;
        }
    }
}
