# A device in software for `npm run test:webgpu`, on Debian: SwiftShader, which the package chromium-common brings, and Vulkan's
# loader. Fetches 32 MB, installs nothing; no browser is started. To be sourced:
#   . tests/webgpu/swiftshader.sh && npm run test:webgpu
swiftshader=${PECO_SWIFTSHADER:-${XDG_CACHE_HOME:-$HOME/.cache}/peco-exp/swiftshader}
if [ ! -e "$swiftshader/usr/lib/chromium/libvk_swiftshader.so" ]; then
  mkdir -p "$swiftshader" &&
    (cd "$swiftshader" && apt-get download chromium-common libvulkan1 &&
      for package in *.deb; do dpkg-deb -x "$package" . && rm "$package"; done)
fi
export VK_ICD_FILENAMES="$swiftshader/usr/lib/chromium/vk_swiftshader_icd.json"
export LD_LIBRARY_PATH="$(echo "$swiftshader"/usr/lib/*-linux-gnu)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}"
