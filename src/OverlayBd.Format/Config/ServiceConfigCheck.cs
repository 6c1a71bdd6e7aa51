// SPDX-License-Identifier: Apache-2.0

using System.Numerics;

namespace OverlayBd.Format.Config;

/// <summary>Checks the values of the global configuration, one sentence for each that makes no sense.</summary>
internal static class ServiceConfigCheck
{
    private const int MaxPathLength = 4096;
    private const int MaxRefillSize = 16 * 1024 * 1024;

    // What fits a long when counted in bytes, by far.
    private const int MaxSizeInGiB = 1 << 30;

    public static void Check(ServiceConfig config, string name)
    {
        CheckRange(config.IoEngine, 0, 2, name, "ioEngine");
        CheckPath(config.CredentialFilePath, name, "credentialFilePath");
        CheckCredentials(config.CredentialConfig, name);
        CheckPair(config.Certificate.CertificateFile, config.Certificate.KeyFile, name, "certConfig.certFile", "certConfig.keyFile");
        CheckOneOf(config.Cache.Type, ["", "file", "ocf", "download"], name, "cacheConfig.cacheType");
        CheckCache(config.Cache.Directory, config.Cache.SizeInGiB, config.Cache.RefillSize, name, "cacheConfig.");
        CheckPowerOfTwo(config.Cache.BlockSize, 4096, MaxRefillSize, name, "cacheConfig.blockSize");
        CheckOneOf(config.CacheType, ["file", "ocf", "download"], name, "cacheType");
        CheckDirectory(config.RegistryCacheDirectory, name, "registryCacheDir");
        CheckRange(config.RegistryCacheSizeInGiB, 1, MaxSizeInGiB, name, "registryCacheSizeGB");
        CheckCache(config.GzipCache.Directory, config.GzipCache.SizeInGiB, config.GzipCache.RefillSize, name, "gzipCacheConfig.");
        CheckRange(config.Log.Level, 0, 4, name, "logConfig.logLevel");
        CheckPath(config.Log.Path, name, "logConfig.logPath");
        CheckRange(config.Log.SizeInMiB, 1, 1 << 20, name, "logConfig.logSizeMB");
        CheckRange(config.Log.RotatedFiles, 0, 30, name, "logConfig.logRotateNum");
        CheckRange(config.LogLevel, 0, 4, name, "logLevel");
        CheckPath(config.LogPath, name, "logPath");
        CheckPath(config.AuditPath, name, "auditPath");
        CheckDownload(config.Download, name);
        CheckUrl(config.P2P.Address, name, "p2pConfig.address", config.P2P.Enable);
        CheckUriPrefix(config.Exporter.UriPrefix, name);
        CheckRange(config.Exporter.Port, 1, 65535, name, "exporterConfig.port");
        CheckRange(config.Exporter.UpdateIntervalInMicroseconds, 0, long.MaxValue, name, "exporterConfig.updateInterval");
        CheckRange(config.Prefetch.Concurrency, 1, 1024, name, "prefetchConfig.concurrency");
        CheckControlApi(config.ControlApi.Address, name);
        CheckPath(config.Registry.AuthFile, name, "registryConfig.authFile");
        CheckPath(config.Registry.HostsDirectory, name, "registryConfig.hostsDir");
        CheckPath(config.Registry.CertificateDirectory, name, "registryConfig.certDir");
        CheckDirectory(config.Backstore.Socket, name, "backstoreConfig.socket");
        CheckDirectory(config.Backstore.RunDirectory, name, "backstoreConfig.runDir");
        CheckOneOf(config.Backstore.Device, ["auto", "tcmu", "fuse"], name, "backstoreConfig.device");
        CheckRange(config.Backstore.RequestTimeoutInSeconds, 0, 7 * 24 * 3600, name, "backstoreConfig.requestTimeout");
    }

    private static void CheckCredentials(CredentialConfig credentials, string name)
    {
        CheckOneOf(credentials.Mode, ["", "file", "http", "https", "uds"], name, "credentialConfig.mode");
        CheckPath(credentials.Path, name, "credentialConfig.path");
        CheckRange(credentials.TimeoutInSeconds, 1, 3600, name, "credentialConfig.timeout");
        CheckPath(credentials.ServerCaPath, name, "credentialConfig.server_ca_path");
        CheckPair(
            credentials.ClientCertificatePath, credentials.ClientKeyPath, name, "credentialConfig.client_cert_path",
            "credentialConfig.client_key_path");
        if (credentials.Mode.Length > 0 && credentials.Path.Length == 0)
        {
            throw new InvalidDataException($"{name}: credentialConfig.path is empty, but credentialConfig.mode is '{credentials.Mode}'.");
        }

        if (credentials.Mode is "http" or "https")
        {
            CheckUrl(credentials.Path, name, "credentialConfig.path", required: true);
        }
    }

    private static void CheckDownload(DownloadConfig download, string name)
    {
        CheckRange(download.DelayInSeconds, 0, int.MaxValue, name, "download.delay");
        CheckRange(download.BlockSize, 4096, 64 * 1024 * 1024, name, "download.blockSize");
        CheckRange(download.Tries, 1, 1000, name, "download.tryCnt");
    }

    private static void CheckCache(string directory, int sizeInGiB, int refillSize, string name, string section)
    {
        CheckDirectory(directory, name, section + "cacheDir");
        CheckRange(sizeInGiB, 1, MaxSizeInGiB, name, section + "cacheSizeGB");
        CheckPowerOfTwo(refillSize, 4096, MaxRefillSize, name, section + "refillSize");
    }

    private static void CheckControlApi(string address, string name)
    {
        CheckUrl(address, name, "serviceConfig.address", required: true);
        if (new Uri(address).HostNameType is not (UriHostNameType.IPv4 or UriHostNameType.IPv6))
        {
            throw new InvalidDataException($"{name}: serviceConfig.address is '{address}'; its host must be an IP address.");
        }
    }

    private static void CheckUriPrefix(string prefix, string name)
    {
        if (!prefix.StartsWith('/') || prefix.Contains('\0', StringComparison.Ordinal) || prefix.Length > MaxPathLength)
        {
            throw new InvalidDataException($"{name}: exporterConfig.uriPrefix is no path that begins with a slash.");
        }
    }

    // A name without a scheme is what the original's own example has; it then talks to the wrong host.
    private static void CheckUrl(string url, string name, string field, bool required)
    {
        bool valid = Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0;
        if (required && !valid)
        {
            throw new InvalidDataException($"{name}: {field} is no address of the form http://HOST[:PORT][/PATH].");
        }
    }

    private static void CheckPair(string certificate, string key, string name, string certificateField, string keyField)
    {
        CheckPath(certificate, name, certificateField);
        CheckPath(key, name, keyField);
        if (certificate.Length == 0 != (key.Length == 0))
        {
            throw new InvalidDataException($"{name}: {certificateField} and {keyField} go together; only one of them is given.");
        }
    }

    private static void CheckOneOf(string value, string[] allowed, string name, string field)
    {
        if (!allowed.Contains(value))
        {
            string shown = value.Length > 60 ? value[..60] + "…" : value;
            throw new InvalidDataException(
                $"{name}: {field} is '{shown}'; expected "
                + $"{string.Join(", ", allowed.Select(text => text.Length == 0 ? "nothing" : $"'{text}'"))}.");
        }
    }

    private static void CheckRange(long value, long least, long most, string name, string field)
    {
        if (value < least || value > most)
        {
            throw new InvalidDataException($"{name}: {field} is {value}; expected {least} to {most}.");
        }
    }

    private static void CheckPowerOfTwo(int value, int least, int most, string name, string field)
    {
        CheckRange(value, least, most, name, field);
        if (!BitOperations.IsPow2(value))
        {
            throw new InvalidDataException($"{name}: {field} is {value}; expected a power of two.");
        }
    }

    private static void CheckDirectory(string path, string name, string field)
    {
        CheckPath(path, name, field);
        if (path.Length == 0)
        {
            throw new InvalidDataException($"{name}: {field} is empty.");
        }
    }

    private static void CheckPath(string path, string name, string field)
    {
        if (path.Length > MaxPathLength)
        {
            throw new InvalidDataException($"{name}: {field} has {path.Length} characters; at most {MaxPathLength} are read.");
        }

        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{name}: {field} contains a zero character.");
        }
    }
}
