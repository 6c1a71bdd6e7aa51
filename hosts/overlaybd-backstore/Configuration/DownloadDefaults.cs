// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Config;

namespace OverlayBd.Backstore.Configuration;

/// <summary>How layers are downloaded when a device config does not say: the only section that is read anew for every device, as the original does.</summary>
internal sealed class DownloadDefaults(BackstoreOptions options, ILogger<DownloadDefaults> logger)
{
    public DownloadConfig Read()
    {
        if (options.ConfigPath is not { } path)
        {
            return options.Config.Download;
        }

        try
        {
            FileInfo file = new(path);
            return file.Length > ServiceConfig.MaxLength ? options.Config.Download : ServiceConfig.Parse(File.ReadAllBytes(path), path).Download;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            // It was good when the server started; a device must not suffer from whoever edits it now.
            BackstoreLog.ConfigUnreadable(logger, e, path);
            return options.Config.Download;
        }
    }
}
