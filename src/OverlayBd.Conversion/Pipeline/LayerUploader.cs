// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry;

namespace OverlayBd.Conversion.Pipeline;

/// <summary>Uploads a block layer, unless the target has it already.</summary>
internal sealed class LayerUploader(ImageRepository target)
{
    public async Task UploadAsync(BuiltLayer layer, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        await target.PushBlobAsync(
            layer.Descriptor, _ => new ValueTask<Stream>(OpenFile(layer.Path)), mountFrom: null, progress, cancellationToken)
            .ConfigureAwait(false);

        // Also when the target had it and nothing was sent.
        progress?.Report(layer.Descriptor.Size);
    }

    private static FileStream OpenFile(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
}
