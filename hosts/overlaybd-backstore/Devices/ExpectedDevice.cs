// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;

namespace OverlayBd.Backstore.Devices;

/// <summary>A device that is about to be announced, because this server makes it; its image is open already.</summary>
internal sealed class ExpectedDevice(Attachment attachment, OpenedImage image)
{
    private Exception? _failure;

    public Attachment Attachment { get; } = attachment;

    public OpenedImage Image { get; } = image;

    /// <summary>Why it could not be served, which the kernel does not pass on.</summary>
    public Exception? Failure
    {
        get => Volatile.Read(ref _failure);
        set => Volatile.Write(ref _failure, value);
    }
}
