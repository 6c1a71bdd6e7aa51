// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Backstore.Devices;

/// <summary>A device's image as the TCMU handler gets it. Requests that come before the image is open wait for it, within the limit of every request.</summary>
internal sealed class DeviceStore(DeviceImage image, Func<ValueTask> released) : BlockStore
{
    public override long Length => image.Length;

    public override bool IsReadOnly => image.IsReadOnly;

    public override int WriteAlignment => image.Current?.Store.WriteAlignment ?? 1;

    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        image.Current is { } open ? open.Store.ReadAsync(offset, buffer, cancellationToken) : ReadLateAsync(offset, buffer, cancellationToken);

    protected override ValueTask WriteCoreAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        image.Current is { } open ? open.Store.WriteAsync(offset, buffer, cancellationToken) : WriteLateAsync(offset, buffer, cancellationToken);

    protected override ValueTask DiscardCoreAsync(long offset, long length, CancellationToken cancellationToken) =>
        image.Current is { } open ? open.Store.DiscardAsync(offset, length, cancellationToken) : DiscardLateAsync(offset, length, cancellationToken);

    protected override ValueTask FlushCoreAsync(CancellationToken cancellationToken) =>
        image.Current is { } open ? open.Store.FlushAsync(cancellationToken) : FlushLateAsync(cancellationToken);

    /// <summary>The handler lets go of the device: it was removed, or this process ends.</summary>
    protected override ValueTask ReleaseAsync() => released();

    private async ValueTask ReadLateAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        OpenedImage open = await image.WaitAsync(cancellationToken);
        await open.Store.ReadAsync(offset, buffer, cancellationToken);
    }

    private async ValueTask WriteLateAsync(long offset, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        OpenedImage open = await image.WaitAsync(cancellationToken);
        await open.Store.WriteAsync(offset, buffer, cancellationToken);
    }

    private async ValueTask DiscardLateAsync(long offset, long length, CancellationToken cancellationToken)
    {
        OpenedImage open = await image.WaitAsync(cancellationToken);
        await open.Store.DiscardAsync(offset, length, cancellationToken);
    }

    private async ValueTask FlushLateAsync(CancellationToken cancellationToken)
    {
        OpenedImage open = await image.WaitAsync(cancellationToken);
        await open.Store.FlushAsync(cancellationToken);
    }
}
