// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using OverlayBd.Format.Lsmt;
using OverlayBd.Format.Tar;
using OverlayBd.Format.ZFile;

namespace OverlayBd.Format;

/// <summary>One stored layer, however it is wrapped: an LSMT file, bare or compressed as ZFile, in a tar archive or not.</summary>
/// <remarks>What the wrappings are is found by looking at the bytes: <c>tar(zfile(lsmt))</c> is what a registry usually has.</remarks>
public sealed class LayerBlob : IAsyncDisposable
{
    // What exists in practice has two; a file that pretends to more is made to waste time.
    private const int MaxWrappings = 4;

    // A tar record, which is the longest of what tells the formats apart.
    private const int SniffLength = 512;

    private readonly LayerWrapping[] _wrappings;

    private LayerBlob(long storedLength, LayerWrapping[] wrappings, ZFileSource? zFile, LsmtLayer layer)
    {
        StoredLength = storedLength;
        _wrappings = wrappings;
        ZFile = zFile;
        Layer = layer;
    }

    /// <summary>Gets the layer, to be stacked or inspected. It belongs to the blob.</summary>
    public LsmtLayer Layer { get; }

    /// <summary>Gets what the layer is wrapped in, outermost first; empty when it is bare.</summary>
    public IReadOnlyList<LayerWrapping> Wrappings => _wrappings;

    /// <summary>Gets the innermost ZFile; <see langword="null"/> when the layer is not compressed. It belongs to the blob.</summary>
    public ZFileSource? ZFile { get; }

    /// <summary>Gets the length of the blob as it is stored, in bytes.</summary>
    public long StoredLength { get; }

    private static ReadOnlySpan<byte> LsmtMagic => "LSMT\0\x01\x02\0"u8;

    /// <summary>Opens a stored layer.</summary>
    /// <param name="blob">The stored bytes. Owned from this call on: released also when opening fails.</param>
    /// <param name="name">What to call the layer in messages, such as its digest or path.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The open layer; the caller disposes it.</returns>
    /// <exception cref="InvalidDataException">The bytes are neither a layer nor one of its wrappings, or a damaged one.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    /// <exception cref="OperationCanceledException">The opening was abandoned.</exception>
    public static ValueTask<LayerBlob> OpenAsync(BlockSource blob, string name, CancellationToken cancellationToken = default) =>
        OpenAsync(blob, name, static layer => layer, cancellationToken);

    /// <summary>Opens a stored layer, and puts something between it and its bytes.</summary>
    /// <param name="blob">The stored bytes. Owned from this call on: released also when opening fails.</param>
    /// <param name="name">What to call the layer in messages, such as its digest or path.</param>
    /// <param name="decorate">Given the bare LSMT file, without its wrappings; returns what the layer is to be read through, which owns
    /// it.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The open layer; the caller disposes it.</returns>
    /// <exception cref="InvalidDataException">The bytes are neither a layer nor one of its wrappings, or a damaged one.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    /// <exception cref="OperationCanceledException">The opening was abandoned.</exception>
    public static async ValueTask<LayerBlob> OpenAsync(
        BlockSource blob, string name, Func<BlockSource, BlockSource> decorate, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(blob);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(decorate);
        BlockSource source = blob;
        try
        {
            var wrappings = new List<LayerWrapping>();
            ZFileSource? zFile = null;
            while (await DetectAsync(source, name, wrappings, cancellationToken).ConfigureAwait(false) is LayerWrapping wrapping)
            {
                if (wrappings.Count == MaxWrappings)
                {
                    throw new InvalidDataException(
                        $"Layer {name}: expected {MaxWrappings} wrappings at most, found another in {string.Join(", ", wrappings)}.");
                }

                wrappings.Add(wrapping);
                if (wrapping == LayerWrapping.Tar)
                {
                    source = await TarBlobSource.OpenAsync(source, name, leaveOpen: false, cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    source = zFile = await ZFileSource.OpenAsync(source, name, leaveOpen: false, cancellationToken).ConfigureAwait(false);
                }
            }

            source = decorate(source);
            LsmtLayer layer = await LsmtLayer.OpenAsync(source, name, leaveOpen: false, cancellationToken).ConfigureAwait(false);
            return new LayerBlob(blob.Length, [.. wrappings], zFile, layer);
        }
        catch
        {
            // The outermost source reached so far owns those within.
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Releases the layer and the blob. Calling it again does nothing.</summary>
    /// <returns>A task that completes when everything is released.</returns>
    public ValueTask DisposeAsync() => Layer.DisposeAsync();

    /// <summary>Finds out what to unwrap next.</summary>
    /// <returns><see langword="null"/> when the bytes are those of a layer.</returns>
    private static async ValueTask<LayerWrapping?> DetectAsync(
        BlockSource source, string name, List<LayerWrapping> wrappings, CancellationToken cancellationToken)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(SniffLength);
        try
        {
            Memory<byte> bytes = rented.AsMemory(0, (int)Math.Min(SniffLength, source.Length));
            await source.ReadAsync(0, bytes, cancellationToken).ConfigureAwait(false);
            ReadOnlySpan<byte> found = bytes.Span;
            if (found.StartsWith(LsmtMagic))
            {
                return null;
            }

            if (ZFileSource.IsZFile(found))
            {
                return LayerWrapping.ZFile;
            }

            if (TarBlobSource.IsTar(found))
            {
                return LayerWrapping.Tar;
            }

            string where = wrappings.Count == 0 ? "it begins" : $"within {string.Join(", ", wrappings)} it begins";
            throw new InvalidDataException(
                $"Layer {name} is no overlaybd layer: {where} with {Convert.ToHexString(found[..Math.Min(16, found.Length)])}, "
                + $"expected an LSMT file ({Convert.ToHexString(LsmtMagic)}), a ZFile (5A46696C65000100) or a tar wrapper ('ustar' at "
                + "byte 257).");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
